import { beforeAll, describe, expect, test } from 'vitest';
import { cifar10Statistics } from '../../src/data/augment/recipes.js';
import { keyed } from '../../src/flow/random.js';
import { projectedGradient } from '../../src/learn/adversary.js';
import { loss } from '../../src/learn/loss/automatic-loss.js';
import { crossEntropy } from '../../src/learn/loss/cross-entropy.js';
import { barlowTwins } from '../../src/learn/loss/views.js';
import { model as layered } from '../../src/learn/model/layered.js';
import { dense, tanh } from '../../src/learn/model/layers.js';
import { linear } from '../../src/learn/model/linear.js';
import { mlp } from '../../src/learn/model/mlp.js';
import { type Model, normal } from '../../src/learn/model/model.js';
import { resnet } from '../../src/learn/model/resnet/resnet.js';
import { sgd } from '../../src/learn/optimizer/sgd.js';
import { regularizer } from '../../src/learn/regularizer/registry.js';
import { type Training, trainStage } from '../../src/learn/train.js';
import { loadTensorFlow, tf } from '../../src/tensorflow/tf.js';

beforeAll(() => loadTensorFlow());

const wide = { min: -100, max: 100 };
const uniforms = (n: number, key: number): Float32Array => {
  const random = keyed(key, 'adversary test');
  return Float32Array.from({ length: n }, () => random.uniform());
};

/** Those samples moved by an adversary. */
function moved(
  model: Model,
  values: Float32Array,
  labels: number[],
  options: Parameters<typeof projectedGradient>[0],
  { epoch = 1, indices = labels.map((_, i) => i), of = crossEntropy() } = {},
) {
  const weights = model.start(3);
  const x = tf.tensor(values, [labels.length, ...model.inputShape]);
  const y = tf.tensor1d(labels, 'int32');
  const before = tf.memory().numTensors;
  const found = projectedGradient(options).against(model, of, 7)(weights, { x, labels: y, epoch, values, indices });
  expect(tf.memory().numTensors).toBe(before + 1);
  expect(found.shape).toEqual(x.shape);
  const lossAt = (at: tf.Tensor): number => of.of(model.logits(weights, at), y).value.dataSync()[0]!;
  return { values: found.dataSync<'float32'>(), weights, loss: lossAt(found), clean: lossAt(x) };
}

/** ‖moved − clean‖ of each sample. */
const lengths = (moved: Float32Array, clean: Float32Array, n: number): number[] =>
  Array.from({ length: n }, (_, row) => {
    const d = clean.length / n;
    return Math.hypot(...Array.from({ length: d }, (_, i) => moved[row * d + i]! - clean[row * d + i]!));
  });

test('on a linear classifier the step is ε g/‖g‖, and the loss log(1 + exp(ε‖w₁ − w₀‖ − margin))', () => {
  const [d, n, epsilon] = [5, 8, 0.3];
  const model = linear([d, 2], { initialization: normal(1) });
  const clean = uniforms(n * d, 1);
  const labels = Array.from({ length: n }, (_, i) => i % 2);
  const step = { epsilon, steps: 1, stepSize: 1e4, box: wide }; // so long that the start does not count
  const { values, weights, loss } = moved(model, clean, labels, step);

  const w = weights.get('readout/kernel')!.dataSync();
  const difference = Array.from({ length: d }, (_, i) => w[2 * i + 1]! - w[2 * i]!);
  const norm = Math.hypot(...difference);
  let mean = 0;
  for (const [row, label] of labels.entries()) {
    const sign = label === 1 ? 1 : -1;
    let margin = 0;
    for (const [i, w] of difference.entries()) {
      const x = clean[row * d + i]!;
      expect(values[row * d + i]).toBeCloseTo(x - (sign * epsilon * w) / norm, 4);
      margin += sign * w * x;
    }
    mean += Math.log1p(Math.exp(epsilon * norm - margin)) / n;
  }
  expect(loss).toBeCloseTo(mean, 4);
  const many = moved(model, clean, labels, { epsilon, steps: 20, stepSize: epsilon, box: wide });
  expect(many.loss).toBeCloseTo(mean, 3);
});

const small = { depth: 18, width: 4, classes: 4, inputSize: [8, 8] } as const;
const models: Readonly<Record<string, () => Model>> = {
  'an MLP': () => mlp([192, 16, 4], { initialization: normal(0.3) }),
  'a ResNet': () => resnet(small),
  'a model of layers': () => layered({ inputShape: [8, 8, 3], layers: [tanh(), dense(4)] }),
};

describe.each(Object.keys(models))('%s', (name) => {
  const labels = [0, 1, 2, 3, 0, 1];
  const n = labels.length;
  const pixels = uniforms(n * 192, 2).map((value) => (value < 0.2 ? 0 : value > 0.8 ? 1 : value)); // many at the box's edges
  const { mean, std } = cifar10Statistics;
  const clean = pixels.map((value, i) => (value - mean[i % 3]!) / std[i % 3]!);

  test.each([{ epsilon: 0.5 }, { epsilon: 0.5, steps: 3, stepSize: 4 }, { epsilon: 30, steps: 5 }])(
    'leaves neither the ball nor the box, and makes the loss larger: %o',
    (options) => {
      const {
        values,
        loss,
        clean: before,
      } = moved(models[name]!(), clean, labels, { ...options, normalize: cifar10Statistics });
      expect(Math.max(...lengths(values, clean, n))).toBeLessThan(options.epsilon * (1 + 1e-5));
      expect(Math.min(...lengths(values, clean, n))).toBeGreaterThan(0);
      for (const [i, value] of values.entries()) {
        const pixel = value * std[i % 3]! + mean[i % 3]!;
        expect(pixel).toBeGreaterThan(-1e-6);
        expect(pixel).toBeLessThan(1 + 1e-6);
      }
      expect(loss).toBeGreaterThan(before);
    },
  );

  test("a sample moves as it does alone, by its index and the epoch, and by a loss of one's own", () => {
    const model = models[name]!();
    const options = { epsilon: 0.5, normalize: cifar10Statistics };
    const all = moved(model, clean, labels, options).values;
    const one = clean.slice(2 * 192, 3 * 192);
    const alone = moved(model, one, [labels[2]!], options, { indices: [2] }).values;
    for (const [i, value] of alone.entries()) expect(value).toBeCloseTo(all[2 * 192 + i]!, 4);
    expect(moved(model, clean, labels, options, { epoch: 2 }).values).not.toEqual(all);
    const own = loss('own', (logits, labels) =>
      tf.neg(tf.mean(tf.sum(tf.mul(tf.oneHot(labels, 4), tf.logSoftmax(logits)), 1))),
    );
    const by = moved(model, clean, labels, options, { of: own }).values;
    for (const [i, value] of by.entries()) expect(value).toBeCloseTo(all[i]!, 3);
  });
});

/** Trains an MLP on eight samples a batch; saves, starts anew and loads at the updates in `stops`. Returns all bits at the end. */
function trained(updates: number, more: Partial<Training>, stops: readonly number[] = [], size = 8) {
  const begin = () => {
    const model = mlp([6, 8, 3], { initialization: normal(0.5) });
    const term = regularizer('cross-lipschitz', model, { gamma: 0.01 });
    return trainStage(model, {
      loss: crossEntropy(),
      optimizer: sgd({ rate: 0.2, momentum: 0.9 }),
      regularizer: term,
      seed: 3,
      ...more,
    });
  };
  let stage = begin();
  let state = stage.start();
  const counts = new Set<number>();
  for (let number = 1; number <= (updates * 8) / size; number++) {
    const first = (number - 1) * size;
    const indices = Array.from({ length: size }, (_, i) => (first + i) % 24);
    const [after] = stage.next(state, {
      position: first + size,
      epoch: Math.floor(first / 24) + 1,
      remaining: 23 - ((first + size - 1) % 24),
      sampleShape: [6],
      values: Float32Array.from(indices.flatMap((index) => [...uniforms(6, index)])),
      labels: Uint8Array.from(indices, (index) => index % 3),
      indices,
    });
    state = after as typeof state;
    if (number > 1) counts.add(tf.memory().numTensors);
    if (!stops.includes(number)) continue;
    const saved = stage.save(state);
    stage.dispose(state);
    stage = begin();
    state = stage.load(saved);
  }
  if (stops.length === 0 && size === 8) expect(counts.size).toBe(1);
  const saved = stage.save(state);
  stage.dispose(state);
  return saved;
}

const adversary = projectedGradient({ epsilon: 0.4, steps: 3 });

test('ε = 0 is training without an adversary, to the bit', () => {
  const plain = trained(9, {});
  expect(trained(9, { adversary: projectedGradient({ epsilon: 0 }) })).toEqual(plain);
  expect(trained(9, { adversary })).not.toEqual(plain);
});

test('saved and loaded after any update it goes on to the same bits, and leaves no tensor', () => {
  const before = tf.memory().numTensors;
  const straight = trained(9, { adversary });
  expect(trained(9, { adversary }, [1, 2, 3, 4, 5, 6, 7, 8])).toEqual(straight);
  expect(tf.memory().numTensors).toBe(before);
});

test('batches given in parts learn what whole ones do', () => {
  const flat = (saved: unknown): number[] =>
    (saved as { weights: { values: Float32Array }[] }).weights.flatMap(({ values }) => [...values]);
  const whole = flat(trained(9, { adversary }));
  const parts = flat(trained(9, { adversary, accumulate: 2 }, [], 4));
  expect(whole.length).toBeGreaterThan(0);
  for (const [i, w] of parts.entries()) expect(w).toBeCloseTo(whole[i]!, 4);
});

test.each([
  ['epsilon', () => projectedGradient({ epsilon: -1 })],
  ['steps', () => projectedGradient({ epsilon: 1, steps: 0 })],
  [
    "the value 1.5, outside of its adversary's box, [0, 1]",
    () => moved(mlp([2, 2, 2]), Float32Array.of(0, 1.5), [0], { epsilon: 1 }),
  ],
  [
    'a batch of 1 samples with 2 indices',
    () => moved(mlp([2, 2, 2]), Float32Array.of(0, 1), [0], { epsilon: 1 }, { indices: [0, 1] }),
  ],
  [
    "an adversary, and loss 'barlow-twins'",
    () => trainStage(mlp([2, 2, 2]), { loss: barlowTwins(), optimizer: sgd({ rate: 1 }), adversary, seed: 0 }),
  ],
])('refuses: %s', (says, build) => {
  expect(build).toThrow(says);
});
