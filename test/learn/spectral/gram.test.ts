import { describe, expect, test } from 'vitest';
import type { ConvLayer, DenseLayer, Layer, Model } from '../../../src/learn/model/model.js';
import { type SpectralOptions, spectralRegularizer } from '../../../src/learn/regularizer/spectral.js';
import { blocks, exactSigma } from '../../../src/learn/spectral/exact.js';
import { enclosing, gramSigma } from '../../../src/learn/spectral/gram.js';
import { layerNorms } from '../../../src/learn/spectral/stages.js';
import type { Update } from '../../../src/learn/update.js';
import { singularValues } from '../../../src/tensorflow/ops/spectral.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { kernelOf, sigmaByDefinition } from './reference.js';

const runtime = await loadTensorFlow();

const dense: DenseLayer = { kind: 'dense', name: 'dense', kernel: 'dense/kernel' };
const conv = (stride: number, height: number, width = height, more: Partial<ConvLayer> = {}): ConvLayer => ({
  ...{ kind: 'conv', name: 'conv', kernel: 'conv/kernel', padding: 'circular' as const },
  ...{ stride, inputSize: [height, width] as const },
  ...more,
});
const normalization = { scale: 'conv/scale', variance: 'conv/variance', epsilon: 1e-5 };
const bound = (layer: Layer, kernel: tf.Tensor, steps?: number) =>
  gramSigma(layer, new Map([[layer.kernel, kernel]]), steps);

/** (Σ s^p)^(1/p) in float64. */
const schatten = (values: ArrayLike<number>, p: number): number => {
  const top = Math.max(...Array.from(values));
  return top * Array.from(values).reduce((sum, s) => sum + (s / top) ** p, 0) ** (1 / p);
};

/** Gram iteration in float64, as it is defined, without rescaling. */
function inFloat64(values: Float64Array, rows: number, columns: number, steps: number): number {
  let [g, n] = [values, rows];
  const m = columns;
  for (let step = 0; step < steps; step++) {
    const next = new Float64Array(m * m);
    for (let i = 0; i < m; i++)
      for (let j = 0; j < m; j++) for (let k = 0; k < n; k++) next[i * m + j]! += g[k * m + i]! * g[k * m + j]!;
    [g, n] = [next, m];
  }
  return Math.hypot(...g) ** (1 / 2 ** steps);
}

describe('dense layers', () => {
  test.each([
    [7, 5, 1],
    [5, 7, 3],
    [40, 12, 4],
  ])('%i × %i, %i steps: the bound of float64 by its definition', (rows, columns, steps) => {
    const kernel = kernelOf([1, 1, rows, columns], rows).reshape([rows, columns]) as tf.Tensor2D;
    const wanted = inFloat64(Float64Array.from(kernel.dataSync()), rows, columns, steps);
    expect(bound(dense, kernel, steps).sigma / wanted).toBeCloseTo(1, 6);
  });

  test('where the bound is tight, rounding puts it at most 1e-6 of σ below, and within its allowance', () => {
    let below = 0;
    for (const [rows, columns] of [
      [3, 3],
      [64, 10],
      [200, 300],
      [784, 500],
    ] as const) {
      // factors of 11 bits: their products, and so the matrix of rank 1, are exact in float32
      const [x, y] = [rows, columns].map((n) =>
        Float64Array.from({ length: n }, (_, i) => Math.round(1000 * Math.sin(i * i + n))),
      ) as [Float64Array, Float64Array];
      const sigma = Math.hypot(...x) * Math.hypot(...y);
      const kernel = tf.tensor2d(
        Float32Array.from({ length: rows * columns }, (_, at) => x[Math.floor(at / columns)]! * y[at % columns]!),
        [rows, columns],
      );
      for (const steps of [1, 6, 12]) {
        const found = bound(dense, kernel, steps);
        below = Math.max(below, 1 - found.sigma / sigma);
        expect(found.sigma + found.bound).toBeGreaterThanOrEqual(sigma);
        expect(found.sigma / sigma).toBeCloseTo(1, 5);
      }
    }
    expect(below).toBeLessThan(1e-6);
  });

  test('nothing overflows or vanishes, and a kernel of zeros has σ = 0', () => {
    const kernel = kernelOf([1, 1, 9, 6]).reshape([9, 6]);
    const { sigma } = bound(dense, kernel, 10);
    for (const scale of [1e30, 1e-30]) {
      expect(bound(dense, tf.mul(kernel, scale), 10).sigma / scale / sigma).toBeCloseTo(1, 5);
    }
    expect(bound(dense, tf.zeros([9, 6])).sigma).toBe(0);
  });
});

/** A model of one layer, its regularizer with a tick on these weights. */
function ticked(layer: Layer, weights: ReadonlyMap<string, tf.Tensor>, options: Partial<SpectralOptions> = {}) {
  const readout = { kind: 'dense', name: 'readout', kernel: 'readout/kernel' };
  const model = { featureLayers: [layer], readout, inputShape: [8, 8, 3] } as Partial<Model> as Model;
  const regularizer = spectralRegularizer('rep-spectral', model, { gamma: 0.5, directions: 'gram', ...options });
  regularizer.ticked = true;
  regularizer.newest = regularizer.begin(weights);
  return regularizer;
}

/** Compares gradients with slopes of γ/2 · S², the bound computed anew at each point. */
function expectSlopes(layer: Layer, weights: Map<string, tf.Tensor>, options: Partial<SpectralOptions> = {}): void {
  const regularizer = ticked(layer, weights, options);
  const { sigma } = regularizer.newest![layer.name]!;
  expect(regularizer.value({ weights }) / (0.25 * sigma ** 2)).toBeCloseTo(1, 4);
  const gradients = new Map([...weights].map(([name, w]) => [name, tf.onesLike(w)]));
  regularizer.addGradients({ weights }, gradients);
  for (const name of [layer.kernel, ...(options.foldNormalization ? [normalization.scale] : [])]) {
    const direction = tf.randomNormal(weights.get(name)!.shape, 0, 1, 'float32', 3);
    const valueAt = (step: number): number => {
      const there = new Map(weights).set(name, tf.add(weights.get(name)!, tf.mul(direction, step)));
      return 0.25 * ticked(layer, there, options).newest![layer.name]!.sigma ** 2;
    };
    const slope = (valueAt(0.02) - valueAt(-0.02)) / 0.04;
    const gradient = tf.sub(gradients.get(name)!, 1);
    const found = tf.sum(tf.mul(gradient, direction)).dataSync()[0]!;
    expect((found - slope) / tf.norm(gradient).dataSync()[0]!, name).toBeCloseTo(0, 2);
  }
}

test.each([
  [7, 5],
  [5, 7],
])('the gradient of a dense layer of %i × %i is the slope of the bound', (rows, columns) => {
  const kernel = kernelOf([1, 1, rows, columns]).reshape([rows, columns]);
  expectSlopes(dense, new Map([[dense.kernel, kernel]]), { iterations: 3 });
});

describe.skipIf(runtime.kind !== 'native')('convolutions', () => {
  const cases: [kernel: [number, number, number, number], layer: ConvLayer][] = [
    [[3, 3, 3, 4], conv(1, 8)],
    [[3, 3, 4, 6], conv(2, 8, 4)],
    [[5, 5, 2, 3], conv(1, 4)],
    [[1, 1, 3, 2], conv(2, 6)],
  ];

  test.each(cases)('%j: the Schatten norm of the largest block, between σ and r^(1/p) σ', (shape, layer) => {
    const kernel = kernelOf(shape, 2);
    const [height, width] = layer.inputSize;
    const grid = { height, width, stride: layer.stride };
    const sigma = sigmaByDefinition(kernel, height, width, layer.stride);
    const values = singularValues(blocks(kernel, grid)).arraySync() as number[][];
    for (const steps of [1, 3, 6]) {
      const p = 2 ** (steps + 1);
      const found = bound(layer, kernel, steps).sigma;
      expect(found / Math.max(...values.map((all) => schatten(all, p)))).toBeCloseTo(1, 5);
      expect(found).toBeGreaterThanOrEqual(sigma * (1 - 1e-6));
      expect(found).toBeLessThanOrEqual(sigma * values[0]!.length ** (1 / p) * (1 + 1e-6));
    }
  });

  test.each(cases)('%j: the gradient is the slope of the bound', (shape, layer) => {
    expectSlopes(layer, new Map([[layer.kernel, kernelOf(shape, 3)]]), { iterations: 3 });
  });

  test('with batch normalization folded in, for the kernel and its scales', () => {
    const weights = new Map<string, tf.Tensor>([
      ['conv/kernel', kernelOf([3, 3, 4, 6], 2)],
      ['conv/scale', tf.tensor1d([1, -2, 0.5, 3, 1, 0.1])],
      ['conv/variance', tf.tensor1d([1, 4, 0.25, 2, 1, 9])],
    ]);
    expectSlopes(conv(2, 8, 8, { normalization }), weights, { iterations: 3, foldNormalization: true });
  });

  test('many steps weigh one direction alone: the value and the gradient of the exact pair', () => {
    const [layer, weights] = [conv(1, 8), new Map([['conv/kernel', kernelOf([3, 3, 3, 4], 1)]])];
    const [gram, exact] = [{ iterations: 14 }, { directions: 'exact' } as const].map((options) => {
      const gradients = new Map([...weights].map(([name, w]) => [name, tf.zerosLike(w)]));
      ticked(layer, weights, options).addGradients({ weights }, gradients);
      return gradients.get(layer.kernel)!;
    }) as [tf.Tensor, tf.Tensor];
    const off = tf.norm(tf.sub(gram, exact)).dataSync()[0]! / tf.norm(exact).dataSync()[0]!;
    expect(off).toBeLessThan(1e-3);
  });

  test('zero padding: the bound is that of a circular convolution whose kernel never reaches around', () => {
    const kernel = kernelOf([3, 3, 2, 3], 5);
    const padded = conv(2, 5, 5, { padding: 'zero' });
    const { height, width } = enclosing({ height: 5, width: 5, stride: 2 }, kernel.shape);
    expect([height, width]).toEqual([8, 8]);
    const found = bound(padded, kernel).sigma;
    expect(found / bound(conv(2, 8), kernel).sigma).toBeCloseTo(1, 6);
    const images = tf.pad(tf.eye(50).reshape([50, 5, 5, 2]) as tf.Tensor4D, [
      [0, 0],
      [1, 1],
      [1, 1],
      [0, 0],
    ]);
    const operator = tf.conv2d(images as tf.Tensor4D, kernel, 2, 'valid').reshape([50, -1]);
    const sigma = singularValues(operator).dataSync()[0]!;
    expect(found).toBeGreaterThan(sigma);
    expect(found).toBeLessThan(1.2 * sigma);
  });

  const weights = new Map<string, tf.Tensor>([
    ['conv/kernel', kernelOf([3, 3, 4, 6], 2)],
    ['readout/kernel', tf.tensor2d([1, 2, 3, 4, 5, 6], [6, 1])],
  ]);
  const readout = { kind: 'dense', name: 'readout', kernel: 'readout/kernel' };
  const modelOf = (layer: Layer) => ({ featureLayers: [layer], readout }) as Partial<Model> as Model;
  const update = { position: 0, number: 1, epoch: 1, weights } as unknown as Update;

  test('layer norms by Gram iteration: bounds, of zero padding too', () => {
    const stage = layerNorms(modelOf(conv(2, 8, 8, { padding: 'zero' })), { estimator: 'gram', iterations: 10 });
    const [, found] = stage.next({}, update) as readonly [unknown, { sigma: Record<string, number> }];
    const { sigma } = exactSigma(weights.get('conv/kernel') as tf.Tensor4D, { height: 10, width: 10, stride: 2 });
    expect(found.sigma).toEqual({ conv: expect.closeTo(sigma, 1), readout: expect.closeTo(Math.sqrt(91), 4) });
    expect(found.sigma.conv).toBeGreaterThan(sigma);
    expect(found).not.toHaveProperty('estimates');
  });

  test('a layer that it does not know, and a kernel that is not finite, are named', () => {
    expect(() => layerNorms(modelOf(conv(2, 7)), { estimator: 'gram' }).next({}, update)).toThrow(
      "Gram iteration does not know layer 'conv', a circular convolution with stride 2 on 7 × 7",
    );
    expect(() => ticked(conv(2, 7), weights)).toThrow("layer 'conv' has stride 2 on 7 × 7");
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const broken = new Map([['conv/kernel', tf.concat([tf.ones([3, 3, 4, 5]), tf.fill([3, 3, 4, 1], value)], 3)]]);
      expect(() => ticked(conv(2, 8), broken)).toThrow("the kernel of layer 'conv' is not finite");
    }
  });

  test('a kernel of zeros has no gradient, and ticks leave no tensors', () => {
    const zeros = new Map([['conv/kernel', tf.zeros([3, 3, 4, 6])]]);
    const regularizer = ticked(conv(2, 8), zeros);
    const gradients = new Map([['conv/kernel', tf.zeros([3, 3, 4, 6]) as tf.Tensor]]);
    const before = tf.memory().numTensors;
    regularizer.newest = regularizer.iterate(regularizer.newest!, zeros);
    regularizer.addGradients({ weights: zeros }, gradients);
    expect(regularizer.value({ weights: zeros })).toBe(0);
    expect(tf.memory().numTensors).toBe(before);
    expect(Math.max(...gradients.get('conv/kernel')!.dataSync())).toBe(0);
  });
});
