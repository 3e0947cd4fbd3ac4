import { mlp } from '../../../src/learn/model/mlp.js';
import { type DenseFirst, type Model, type Weights, weight } from '../../../src/learn/model/model.js';
import type { Update } from '../../../src/learn/update.js';
import type { LabeledSamples } from '../../../src/measure/inputs.js';
import { tf } from '../../../src/tensorflow/tf.js';

export type Attacked = Model & { readonly first?: DenseFirst };

/** xW + b, by itself or seen as a dense first layer with nothing behind it. */
export function linear(d: number, classes: number, seen: 'whole' | 'dense'): Attacked {
  const layer = { name: 'readout', kernel: 'readout/kernel', kind: 'dense' } as const;
  const bias = 'readout/bias';
  return {
    name: 'linear',
    inputShape: [d],
    classes,
    featureLayers: [],
    readout: layer,
    start: () =>
      new Map<string, tf.Tensor>([
        [layer.kernel, tf.randomNormal([d, classes], 0, 1, 'float32', 3)],
        [bias, tf.tensor1d(Array.from({ length: classes }, (_, k) => 0.1 * k))],
      ]),
    parts: [],
    jacobian: { forward: (_w, _x, p) => tf.clone(p), backward: (_w, _x, q) => tf.clone(q) },
    features: (_, x) => tf.clone(x) as tf.Tensor2D,
    logits: (weights, x) =>
      tf.tidy(() => tf.add(tf.matMul(x as tf.Tensor2D, weight(weights, layer.kernel)), weight(weights, bias))),
    ...(seen === 'dense'
      ? {
          first: {
            kernel: layer.kernel,
            bias,
            rest: (_: Weights, [z, y]: readonly [tf.Tensor2D, tf.Tensor2D], b: tf.Tensor1D, scale: number) =>
              tf.tidy(() => tf.mul(tf.add(tf.add(z, y), b), scale) as tf.Tensor2D),
          },
        }
      : {}),
  };
}

/** A small network with its first layer taken apart or not. */
export function network(seen: 'whole' | 'dense', hidden = [16]): Attacked {
  const { first, ...whole } = mlp([12, ...hidden, 3], { scale: 'none' });
  return seen === 'whole' ? whole : { ...whole, first: first! };
}

/** The same logits for every input. */
export const constant = (d: number, logits: number[]): Attacked => ({
  ...linear(d, logits.length, 'whole'),
  logits: (_, x) => tf.tidy(() => tf.add(tf.zeros([x.shape[0]!, logits.length]), tf.tensor1d(logits)) as tf.Tensor2D),
});

/** The model, every input of it shown to `see`: values, and how many rows. */
export const watched = (model: Attacked, see: (values: Float32Array, rows: number) => void): Attacked => ({
  ...model,
  logits(weights, x) {
    see(x.dataSync() as Float32Array, x.shape[0]!);
    return model.logits(weights, x);
  },
});

/** Samples spread over [low, high], labeled as the model sees them. */
export function samplesFor(model: Model, weights: Weights, size: number, low: number, high: number): LabeledSamples {
  const [d] = model.inputShape as [number];
  const x = tf.randomUniform([size, d], low, high, 'float32', 5);
  const labels = tf.tidy(() => Uint8Array.from(tf.argMax(model.logits(weights, x), 1).dataSync()));
  const values = x.dataSync() as Float32Array;
  x.dispose();
  return { name: 'samples', size, sampleShape: [d], values, labels };
}

export const updateOf = (weights: Weights): Update => ({
  position: 640,
  number: 10,
  epoch: 2,
  endsEpoch: true,
  weights,
  loss: () => 0,
  epochLoss: () => 0,
  epochAccuracy: () => 0,
});
