import { augment } from '../../../src/data/augment/augment.js';
import { randomCrop } from '../../../src/data/augment/ops/crop.js';
import { horizontalFlip } from '../../../src/data/augment/ops/horizontal-flip.js';
import { normalize, unitScale } from '../../../src/data/augment/ops/normalize.js';
import { cifar10Statistics } from '../../../src/data/augment/recipes.js';
import { batch } from '../../../src/data/batch.js';
import { type Dataset, sharedBytes } from '../../../src/data/dataset.js';
import { loader } from '../../../src/data/loader.js';
import { sharedLabels } from '../../../src/data/sample-check.js';
import { keyed } from '../../../src/flow/random.js';
import { crossEntropy } from '../../../src/learn/loss/cross-entropy.js';
import { type ResnetOptions, resnet } from '../../../src/learn/model/resnet/resnet.js';
import { sgd } from '../../../src/learn/optimizer/sgd.js';
import { train } from '../../../src/learn/train.js';
import type { Precision } from '../../../src/tensorflow/ops/eager.js';
import { loadTensorFlow } from '../../../src/tensorflow/tf.js';
import { pythonPeer, type Side } from '../compare.js';
import { trained } from './trained.js';

const threads = 2;

/** What is trained, on noise. */
export interface Task {
  /** How the peer calls the network. */
  readonly network: 'resnet18' | 'resnet50';
  readonly model: Omit<ResnetOptions, 'precision'>;
  readonly pixels: number;
  readonly samples: number;
  /** Images a batch. */
  readonly size: number;
}

/** The authors' ResNet-18 on CIFAR-10's shapes, with circular padding. */
export const onCifar: Task = {
  network: 'resnet18',
  pixels: 32,
  samples: 10_000,
  size: 64,
  model: { depth: 18, stem: 'cifar', classes: 10, inputSize: [32, 32] },
};

/** torchvision's ResNet-50 on ImageNet's shapes. */
export const onImagenet: Task = {
  network: 'resnet50',
  pixels: 224,
  samples: 64,
  size: 8,
  model: { depth: 50, stem: 'imagenet', classes: 1000, inputSize: [224, 224], padding: 'zero' },
};

const recipe = [randomCrop({ padding: 4 }), horizontalFlip(), unitScale(), normalize(cifar10Statistics)];

/** Bytes of noise. */
function images({ pixels, samples, model: { classes } }: Task): Dataset {
  const values = sharedBytes(samples * 3 * pixels ** 2);
  const words = new Uint32Array(values.buffer);
  const random = keyed(0, 'bench');
  for (let i = 0; i < words.length; i++) words[i] = random.uint32();
  const labels = sharedLabels(classes, samples).map(() => random.integer(classes));
  const names = Array.from({ length: classes }, (_, i) => String(i));
  return { name: 'noise', size: samples, sampleShape: [pixels, pixels, 3], classes: names, values, labels };
}

/** The network trained through the whole graph, with crop and flip in worker threads. */
export async function ours(task: Task, precision: Precision, updates: number): Promise<Side> {
  process.env.WEIR_THREADS ??= String(threads);
  const runtime = await loadTensorFlow();
  const model = resnet({ ...task.model, precision });
  const optimizer = sgd({ rate: 0.01, momentum: 0.9, decay: 1e-4 });
  const updates$ = loader(images(task), { epochs: 1000, seed: 0 }).pipe(
    augment(recipe, { seed: 0 }),
    batch(task.size),
    train(model, { loss: crossEntropy(), optimizer, seed: 0 }),
  );
  return trained(`Weir (TensorFlow ${runtime.version}, ${runtime.threads} threads, ${precision})`, updates$, updates);
}

/** The same in PyTorch; a side without times where there is none. */
export async function peer(
  { network, samples, size }: Task,
  mode: 'nchw' | 'channels_last' | 'bfloat16',
  updates: number,
): Promise<Side> {
  const reference = process.env.WEIR_REFERENCE ?? '';
  if (!reference && network === 'resnet18') {
    console.log('WEIR_REFERENCE is not set: the network is torchvision’s, made like the authors’');
  }
  const args = [network, mode, reference, samples, size, updates, threads].map(String);
  const python = await pythonPeer('residual_step.py', args);
  if (python === undefined) return { name: 'no peer', round: () => Number.NaN };
  return { name: python.ready, round: async () => (await python.ask('round')).seconds, close: python.close };
}
