import { crossEntropy } from '../../src/learn/loss/cross-entropy.js';
import { gradientsOf } from '../../src/learn/loss/gradients.js';
import { model } from '../../src/learn/model/layered.js';
import * as layers from '../../src/learn/model/layers.js';
import { mlp } from '../../src/learn/model/mlp.js';
import { type Gradients, type Model, uniform, type Weights } from '../../src/learn/model/model.js';
import { resnet } from '../../src/learn/model/resnet/resnet.js';
import { loadTensorFlow, tf } from '../../src/tensorflow/tf.js';
import { renamed, resnet18 } from '../learn/model/of-layers.js';
import { compare, type Side } from './compare.js';

/**
 * Loss and gradients of one batch: a model of layers, which TensorFlow.js differentiates, beside the same network with its gradients by
 * hand, of the same weights. A gradient of the MLP may differ by 1e-4 of its largest value. In ResNet-18 rounding opens and closes rectifiers, so
 * beside the difference stands what inputs changed by 1e-7 make of the gradients by hand. Times have no target; the ratio says how much of the
 * time by hand a model of layers needs.
 */
export async function bench(): Promise<boolean> {
  await loadTensorFlow();
  const dense = await beside(
    'mlp',
    model({ inputShape: [784], layers: [layers.dense(2000), layers.gelu(), layers.dense(10)] }),
    mlp([784, 2000, 10], { scale: 'none', initialization: uniform() }),
    1024,
  );
  const byHand = resnet({ depth: 18, classes: 10, inputSize: [32, 32], width: 32 });
  await beside('resnet18', resnet18(32, 32), byHand, 32);
  return dense <= reach;
}

const reach = 1e-4;

/** @returns the largest difference of a gradient, as a part of its largest value */
async function beside(name: string, ofLayers: Model, byHand: Model, samples: number): Promise<number> {
  const weights = byHand.start(0);
  const [ours, peer] = [
    side('of layers', ofLayers, renamed(weights, ofLayers), samples),
    side('by hand', byHand, weights, samples),
  ];
  const inOrder = (gradients: Gradients) => [...weights.keys()].flatMap((name) => gradients.get(name) ?? []);
  const theirs = inOrder(peer.gradients());
  const worstOf = (found: readonly tf.Tensor[]) => Math.max(...found.map((one, i) => apart(one, theirs[i]!)));
  const worst = worstOf([...ours.gradients().values()]);
  const changed = worstOf(inOrder(peer.gradients(1e-7)));
  await compare({
    name: `model-layers-${name}`,
    ours,
    peer,
    reach: 0,
    rounds: Number(process.env.WEIR_ROUNDS ?? 9),
    work: { amount: samples, unit: 'samples' },
  });
  console.log(
    `model-layers-${name}: gradients differ by ${worst.toExponential(1)} of their largest value; by hand, of inputs changed by 1e-7, by ${changed.toExponential(1)}`,
  );
  return worst;
}

const apart = (a: tf.Tensor, b: tf.Tensor): number =>
  tf.tidy(() => tf.div(tf.max(tf.abs(tf.sub(a, b))), tf.max(tf.abs(b))).dataSync()[0]!);

function side(
  name: string,
  model: Model,
  weights: Weights,
  samples: number,
): Side & { gradients(change?: number): Gradients } {
  const x = tf.randomNormal([samples, ...model.inputShape], 0, 1, 'float32', 1);
  const labels = tf.tensor1d(
    Array.from({ length: samples }, (_, i) => i % 10),
    'int32',
  );
  return {
    name,
    gradients(change = 0) {
      const changed = tf.mul(x, tf.add(1, tf.randomNormal(x.shape, 0, change, 'float32', 2)));
      return gradientsOf(model, crossEntropy(), weights, changed, labels).gradients;
    },
    round() {
      const before = performance.now();
      const { loss, correct, gradients, statistics } = gradientsOf(model, crossEntropy(), weights, x, labels);
      loss.dataSync();
      for (const gradient of gradients.values()) gradient.dataSync();
      const seconds = (performance.now() - before) / 1000;
      tf.dispose([loss, correct, ...gradients.values(), ...(statistics?.values() ?? [])]);
      return seconds;
    },
    close: () => tf.dispose([x, labels]),
  };
}
