import { unitScale } from '../../src/data/augment/ops/normalize.js';
import { crossEntropy } from '../../src/learn/loss/cross-entropy.js';
import { resnet } from '../../src/learn/model/resnet/resnet.js';
import { sgd } from '../../src/learn/optimizer/sgd.js';
import { trainStage } from '../../src/learn/train.js';
import { ddn } from '../../src/measure/attack/ddn.js';
import { loadTensorFlow } from '../../src/tensorflow/tf.js';
import { attackedBy, compareDdn } from './sides/attacked.js';
import { realImages, trainOn } from './sides/on-cifar10.js';

const threads = 2;
const [updates, count, iterations] = [40, 16, 20];

/**
 * DDN on ResNet-18 with circular padding, as many steps on both sides, against foolbox and adv-lib on the same network in PyTorch (NCHW):
 * the same weights and images, seconds an image. Ours searches for the boundary in the end, which is in its time.
 *
 * The network is trained for a few updates on real images of pixels from 0 to 1: the libraries clip to that range.
 */
export async function bench(): Promise<boolean> {
  process.env.WEIR_THREADS ??= String(threads);
  const runtime = await loadTensorFlow();
  const data = realImages();
  if (data === undefined) return false;
  const model = resnet({ depth: 18, stem: 'cifar', classes: 10, inputSize: [32, 32] });
  const stage = trainStage(model, { loss: crossEntropy(), optimizer: sgd({ rate: 0.01, momentum: 0.9 }), seed: 0 });
  const { weights, loss } = trainOn(data, stage, updates, undefined, [unitScale()]);
  console.log(`trained ${updates} updates, loss ${loss.dataSync()[0]!.toFixed(3)}`);
  const options = { samples: count, seed: 0, shuffle: false, iterations };
  const attack = () => attackedBy(ddn(model, data, options), weights);
  return compareDdn({
    name: 'ddn-resnet18',
    model,
    weights,
    network: 'resnet18',
    samples: attack(),
    threads,
    steps: iterations,
    reach: 2,
    longest: 1.005,
    runtime: `${iterations} steps, TensorFlow ${runtime.version}, ${runtime.threads} threads`,
    attack,
  });
}
