import { keyed } from '../../../src/core/seed.js';
import { augment } from '../../../src/feed/augment/augment.js';
import { horizontalFlip } from '../../../src/feed/augment/op/horizontal-flip.js';
import { normalise } from '../../../src/feed/augment/op/normalise.js';
import { randomCrop } from '../../../src/feed/augment/op/random-crop.js';
import { unitScale } from '../../../src/feed/augment/op/unit-scale.js';
import { cifar10Statistics } from '../../../src/feed/augment/recipes/statistics.js';
import { batch } from '../../../src/feed/batch.js';
import { type Dataset, sharedBytes } from '../../../src/feed/dataset.js';
import { draw } from '../../../src/feed/draw.js';
import type { Precision } from '../../../src/learn/device/native/precision.js';
import { loadTensorFlow } from '../../../src/learn/device/tf.js';
import { crossEntropy } from '../../../src/learn/loss/cross-entropy.js';
import { resnet } from '../../../src/learn/model/resnet.js';
import { train } from '../../../src/learn/operators.js';
import { sgd } from '../../../src/learn/optimiser/sgd.js';
import { pythonPeer, type Side } from '../compare.js';
import { trained } from './trained.js';

const samples = 10_000;
const threads = 2;

/** Images a batch. */
export const size = 64;

const recipe = [randomCrop({ padding: 4 }), horizontalFlip(), unitScale(), normalise(cifar10Statistics)];

/** Bytes of noise in CIFAR-10's shape. */
function images(): Dataset {
  const values = sharedBytes(samples * 3072);
  const words = new Uint32Array(values.buffer);
  const random = keyed(0, 'bench');
  for (let i = 0; i < words.length; i++) words[i] = random.uint32();
  const labels = sharedBytes(samples).map(() => random.integer(10));
  return { name: 'noise', size: samples, sampleShape: [32, 32, 3], classes: [...'0123456789'], values, labels };
}

/** ResNet-18 with circular padding, trained through the whole graph with crop and flip in worker threads. */
export async function ours(precision: Precision, updates: number): Promise<Side> {
  process.env.WEIR_THREADS ??= String(threads);
  const runtime = await loadTensorFlow();
  const model = resnet({ depth: 18, stem: 'cifar', classes: 10, inputSize: [32, 32], precision });
  const optimiser = sgd({ rate: 0.01, momentum: 0.9, decay: 1e-4 });
  const updates$ = draw(images(), { epochs: 1000, seed: 0 }).pipe(
    augment(recipe, { seed: 0 }),
    batch(size),
    train(model, { loss: crossEntropy(), optimiser, seed: 0 }),
  );
  return trained(`Weir (TensorFlow ${runtime.version}, ${runtime.threads} threads, ${precision})`, updates$, updates);
}

/** The same in PyTorch; a side without times where there is none. */
export async function peer(mode: 'nchw' | 'channels_last' | 'bfloat16', updates: number): Promise<Side> {
  const reference = process.env.WEIR_REFERENCE ?? '';
  if (!reference) console.log('WEIR_REFERENCE is not set: the network is torchvision’s, made like the authors’');
  const args = [mode, reference, samples, size, updates, threads].map(String);
  const python = await pythonPeer('resnet18_step.py', args);
  if (python === undefined) return { name: 'nobody', round: () => Number.NaN };
  return { name: python.ready, round: async () => (await python.ask('round')).seconds, close: python.close };
}
