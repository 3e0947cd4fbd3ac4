import { beforeAll, describe, expect, test } from 'vitest';
import type { ViewsLoss } from '../../../src/learn/loss/loss.js';
import { barlowTwins, ntXent } from '../../../src/learn/loss/views.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import { sgd } from '../../../src/learn/optimizer/sgd.js';
import { trainStage } from '../../../src/learn/train.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { numbers } from '../model/random-weights.js';
import { twoViews, worst } from './batch.js';

beforeAll(() => loadTensorFlow());

/** The losses in float64, as their equations have them. */
const equations = {
  'barlow-twins'(z: Float64Array, n: number, d: number): number {
    const standard = (view: number, i: number): number[] => {
      const column = Array.from({ length: n }, (_, s) => z[(view * n + s) * d + i]!);
      const mean = column.reduce((a, b) => a + b) / n;
      const variance = column.reduce((sum, x) => sum + (x - mean) ** 2, 0) / n;
      return column.map((x) => (x - mean) / Math.sqrt(variance + 1e-5));
    };
    let loss = 0;
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < d; j++) {
        const [a, b] = [standard(0, i), standard(1, j)];
        const c = a.reduce((sum, x, s) => sum + x * b[s]!, 0) / n;
        loss += i === j ? (1 - c) ** 2 : 0.005 * c ** 2;
      }
    }
    return loss;
  },
  'nt-xent'(z: Float64Array, n: number, d: number): number {
    const u = Array.from({ length: 2 * n }, (_, i) => {
      const row = z.slice(i * d, (i + 1) * d);
      const length = Math.hypot(...row);
      return row.map((x) => x / length);
    });
    const similar = (i: number, k: number): number => u[i]!.reduce((sum, x, j) => sum + x * u[k]![j]!, 0) / 0.07;
    let loss = 0;
    for (let i = 0; i < 2 * n; i++) {
      const others = u.flatMap((_, k) => (k === i ? [] : [Math.exp(similar(i, k))]));
      loss += Math.log(others.reduce((a, b) => a + b)) - similar(i, (i + n) % (2 * n));
    }
    return loss / (2 * n);
  },
} as const;

const losses: readonly ViewsLoss[] = [barlowTwins(), ntXent()];
const onDevice = (z: ArrayLike<number>, d: number): tf.Tensor2D => tf.tensor2d(Float32Array.from(z), [z.length / d, d]);

describe.each(losses.map((loss) => [loss.name as keyof typeof equations, loss] as const))('%s', (name, loss) => {
  test.each([
    [2, 1],
    [5, 3],
    [3, 8],
    [11, 7],
  ])('%i samples of width %i: the equation, and its finite differences', (n, d) => {
    if (name === 'nt-xent' && d === 1) return; // all directions are ±1: nothing to differentiate
    const z = numbers(n, 2 * n * d);
    const { value, gradient } = loss.of(onDevice(z, d));
    const wanted = equations[name](z, n, d);
    expect(Math.abs(value.dataSync()[0]! - wanted)).toBeLessThan(1e-5 * Math.max(1, wanted));
    const found = gradient.dataSync();
    const h = 1e-5;
    const differences = z.map((_, i) => {
      const at = (by: number) => equations[name](z.with(i, z[i]! + by), n, d);
      return (at(h) - at(-h)) / (2 * h);
    });
    const scale = Math.max(...differences.map(Math.abs));
    expect(worst(found, differences)).toBeLessThan(2e-4 * scale + 1e-6);
  });

  test('it leaves its results and nothing else', () => {
    const z = onDevice(numbers(1, 24), 3);
    const before = tf.memory().numTensors;
    const results = loss.of(z);
    expect(tf.memory().numTensors).toBe(before + Object.keys(results).length);
  });

  test('one sample is refused; what is not finite makes the loss NaN, at which training ends by name', () => {
    expect(() => loss.of(onDevice([1, 2, 3, 4], 2))).toThrow(
      expect.objectContaining({
        message: `loss '${name}' was handed 2 projections: two views of 1 sample`,
        remedy: expect.stringContaining("partial: 'drop'"),
      }),
    );
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const { value } = loss.of(onDevice(numbers(1, 24).with(7, bad), 3));
      expect(value.dataSync()[0]).toBeNaN();
    }
    const batch = twoViews(Float32Array.from(numbers(1, 24)).with(7, Number.NaN), [3]);
    const stage = trainStage(mlp([3, 4, 2]), { loss, optimizer: sgd({ rate: 0.1 }), seed: 1 });
    const [state, update] = stage.next(stage.start(), batch);
    expect(() => update.loss()).toThrow('training diverged: the loss is NaN at update 1');
    expect(() => stage.save(state)).toThrow('training diverged');
  });
});

test('Barlow Twins: a constant feature costs 1, and its gradient is finite', () => {
  const z = numbers(3, 30).map((value, i) => (i % 3 === 0 ? 1000 : value));
  const { value, gradient } = barlowTwins().of(onDevice(z, 3));
  const others = z.filter((_, i) => i % 3 !== 0);
  expect(value.dataSync()[0]).toBeCloseTo(1 + equations['barlow-twins'](others, 5, 2), 3);
  expect(gradient.dataSync().every(Number.isFinite)).toBe(true);
});

test('NT-Xent: a projection of length 0 is similar to none and has no gradient; lengths cost no digits', () => {
  const z = numbers(3, 24);
  const zero = z.map((value, i) => (i < 3 ? 0 : value));
  const { value, gradient } = ntXent().of(onDevice(zero, 3));
  expect(Number.isFinite(value.dataSync()[0])).toBe(true);
  expect([...gradient.dataSync().slice(0, 3)]).toEqual([0, 0, 0]);
  expect(gradient.dataSync().every(Number.isFinite)).toBe(true);
  for (const factor of [1e-25, 1e25]) {
    const scaled = ntXent().of(onDevice(z.map((value) => factor * value), 3)); // biome-ignore format: one idea
    expect(scaled.value.dataSync()[0]).toBeCloseTo(equations['nt-xent'](z, 4, 3), 4);
  }
});

test('NT-Xent: all samples nearest to their own other view, or none', () => {
  const e = [1, 0, 0, 1, -1, 0]; // three directions
  expect(
    ntXent()
      .of(onDevice([...e, ...e], 2))
      .correct!.dataSync()[0],
  ).toBe(3);
  expect(
    ntXent()
      .of(onDevice([...e, ...e.slice(2), ...e.slice(0, 2)], 2))
      .correct!.dataSync()[0],
  ).toBe(0);
});

test('options that make no loss are refused', () => {
  expect(() => barlowTwins({ lambda: -1 })).toThrow("loss 'barlow-twins' was given lambda = -1");
  expect(() => barlowTwins({ epsilon: 0 })).toThrow('epsilon = 0');
  expect(() => ntXent({ temperature: 0 })).toThrow("loss 'nt-xent' was given temperature = 0");
});
