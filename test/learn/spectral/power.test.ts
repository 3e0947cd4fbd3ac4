import { beforeAll, describe, expect, test } from 'vitest';
import { mlp } from '../../../src/learn/model/mlp.js';
import { type SpectralKind, spectralRegularizer } from '../../../src/learn/regularizer/spectral.js';
import { firstDirection, powerIterate } from '../../../src/learn/spectral/power.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { deviation, type GoldenTensor, golden } from '../../golden.js';

beforeAll(() => loadTensorFlow());

test('a kernel of rank one is known after one step', () => {
  const kernel = tf.outerProduct(tf.tensor1d([0.6, 0.8]), tf.tensor1d([3, 0, 4])); // 5 · v uᵀ
  const { sigma, u, v } = powerIterate(kernel, Float32Array.of(1, 1), { steps: 1 });
  expect(sigma).toBeCloseTo(5, 5);
  expect([...u]).toEqual([0.6, 0, 0.8].map((x) => expect.closeTo(x, 6)));
  expect([...v]).toEqual([0.6, 0.8].map((x) => expect.closeTo(x, 6)));
});

test('it stops when v rests, and σ is that of the largest entry of a diagonal', () => {
  const kernel = tf.diag(tf.tensor1d([1, -7, 3])) as tf.Tensor2D;
  const { sigma, v } = powerIterate(kernel, Float32Array.of(1, 1, 1), { steps: 1000, direction: 1e-6 });
  expect(sigma).toBeCloseTo(7, 5);
  expect([...v].map(Math.abs)).toEqual([0, 1, 0].map((x) => expect.closeTo(x, 5)));
});

test('a kernel of zeros has σ = 0 and keeps its direction', () => {
  const found = powerIterate(tf.zeros([2, 3]), Float32Array.of(0.6, 0.8), { steps: 3 });
  expect(found).toEqual({ sigma: 0, u: Float32Array.of(0, 0, 0), v: Float32Array.of(0.6, 0.8) });
});

test('it leaves no tensor, and a first direction is a function of its key', () => {
  const kernel = tf.ones([4, 3]) as tf.Tensor2D;
  const before = tf.memory().numTensors;
  powerIterate(kernel, firstDirection(1, 0, 4), { steps: 5, direction: 1e-6 });
  expect(tf.memory().numTensors).toBe(before);
  expect(firstDirection(1, 0, 4)).toEqual(firstDirection(1, 0, 4));
  expect(firstDirection(1, 0, 4)).not.toEqual(firstDirection(2, 0, 4));
});

beforeAll(() => loadTensorFlow());

const regularizers = golden<
  { regulariser: SpectralKind; gamma: number; kernels: GoldenTensor[] },
  { value: number; gradients: GoldenTensor[] }
>('spectral-penalty');

describe.skipIf(regularizers === undefined)('reference vectors: spectral-penalty', () => {
  test.each(regularizers ?? [])('$name', ({ input, expected, tolerance }) => {
    const sizes = [input.kernels[0]!.shape[0]!, ...input.kernels.map((kernel) => kernel.shape[1]!)];
    const model = mlp(sizes);
    const kernels = [...model.featureLayers, model.readout].map((layer) => layer.kernel);
    const weights = new Map(
      kernels.map((name, i) => [name, tf.tensor(input.kernels[i]!.data, input.kernels[i]!.shape)]),
    );
    const gradients = new Map(kernels.map((name) => [name, tf.zerosLike(weights.get(name)!)]));
    const regularizer = spectralRegularizer(input.regulariser, model, { gamma: input.gamma, iterations: 100 });

    regularizer.newest = regularizer.iterate(regularizer.begin(weights), weights); // the first search may stop short of convergence
    regularizer.ticked = true;
    regularizer.addGradients({ weights }, gradients);

    expect(deviation([regularizer.value({ weights })], [expected.value], tolerance)).toBeLessThanOrEqual(1);
    kernels.forEach((name, i) => {
      const found = gradients.get(name)!.dataSync();
      expect(deviation(found, expected.gradients[i]!.data, tolerance), name).toBeLessThanOrEqual(1);
    });
  });
});

const traces = golden<
  { kernel: GoldenTensor; v0: GoldenTensor },
  { v: GoldenTensor; sigmaSquared: GoldenTensor; sigma: number }
>('power-iteration-trace');

describe.skipIf(traces === undefined)('reference vectors: power-iteration-trace', () => {
  test.each(traces ?? [])('$name', ({ input, expected, tolerance }) => {
    const kernel = tf.tensor2d(input.kernel.data, input.kernel.shape as [number, number]);
    const [steps, length] = expected.v.shape as [number, number];
    let v = Float32Array.from(input.v0.data);
    for (let i = 0; i < steps; i++) {
      const found = powerIterate(kernel, v, { steps: 1 });
      v = found.v as typeof v;
      const wanted = expected.v.data.slice(i * length, (i + 1) * length);
      expect(deviation(v, wanted, tolerance), `v after step ${i + 1}`).toBeLessThanOrEqual(1);
      expect(deviation([found.sigma ** 2], [expected.sigmaSquared.data[i]!], tolerance)).toBeLessThanOrEqual(1);
    }
    const { sigma } = powerIterate(kernel, v, { steps: 200, direction: 1e-6 });
    expect(deviation([sigma], [expected.sigma], tolerance)).toBeLessThanOrEqual(1);
  });
});
