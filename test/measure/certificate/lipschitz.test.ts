import { beforeAll, describe, expect, test } from 'vitest';
import { keyed } from '../../../src/flow/random.js';
import { activations } from '../../../src/learn/model/activation.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import {
  activated,
  type ConvLayer,
  elementwise,
  largestOf,
  type Model,
  meanOver,
  type Padding,
  type Part,
} from '../../../src/learn/model/model.js';
import { resnet } from '../../../src/learn/model/resnet/resnet.js';
import { convNorms, lipschitz, ROUNDING, sigmaAtMost } from '../../../src/measure/certificate/lipschitz.js';
import { hasNative } from '../../../src/tensorflow/ops/eager.js';
import { singularValues } from '../../../src/tensorflow/ops/spectral.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';

beforeAll(() => loadTensorFlow());

const random = (length: number, purpose = 'test'): Float32Array => {
  const numbers = keyed(1, purpose);
  return Float32Array.from({ length }, () => numbers.normal());
};

test.each(Object.values(activations))('$name: its constant is its largest slope', ({ derivative, lipschitz }) => {
  const z = tf.linspace(-8, 8, 160_001).as2D(1, 160_001);
  const largest = tf.max(tf.abs(derivative(z))).dataSync()[0]!;
  expect(largest).toBeLessThanOrEqual(lipschitz * (1 + 1e-6));
  expect(largest).toBeGreaterThan(lipschitz * (1 - 1e-6));
});

describe('σ from above', () => {
  test.each([
    ['tall', 40, 7],
    ['wide', 3, 50],
    ['a row', 1, 5],
  ])('%s: within 10⁻⁶ of σ, never noticeably below', (_, rows, columns) => {
    const kernel = tf.tensor2d(random(rows * columns), [rows, columns]);
    const sigma = singularValues(kernel).dataSync()[0]!;
    const bound = sigmaAtMost(kernel) / sigma;
    expect(bound).toBeGreaterThan(1 - 1e-6);
    expect(bound).toBeLessThan(1 + 1e-6);
  });

  test('equal singular values, two that nearly are, none, and NaN', () => {
    expect(sigmaAtMost(tf.mul(tf.eye(30), 3))).toBeCloseTo(3, 5);
    expect(sigmaAtMost(tf.tensor2d([1, 0, 0, 0.9999], [2, 2]))).toBeCloseTo(1, 6);
    expect(sigmaAtMost(tf.zeros([4, 3]))).toBe(0);
    expect(sigmaAtMost(tf.tensor2d([Number.NaN, 1], [1, 2]))).toBeNaN();
  });
});

/** The matrix of a convolution, by its definition. */
function matrixOf(kernel: tf.Tensor4D, { inputSize, stride, padding }: ConvLayer): number[][] {
  const [rows, columns, inputs, outputs] = kernel.shape;
  const [height, width] = inputSize;
  const values = kernel.dataSync();
  const matrix: number[][] = [];
  for (let y = 0; y < Math.ceil(height / stride); y++) {
    for (let x = 0; x < Math.ceil(width / stride); x++) {
      for (let o = 0; o < outputs; o++) {
        const row = new Array<number>(height * width * inputs).fill(0);
        for (let r = 0; r < rows; r++) {
          for (let c = 0; c < columns; c++) {
            let [at, over] = [y * stride + r - ((rows - 1) >> 1), x * stride + c - ((columns - 1) >> 1)];
            if (padding === 'circular') {
              [at, over] = [(at + 10 * height) % height, (over + 10 * width) % width];
            } else if (at < 0 || over < 0 || at >= height || over >= width) continue;
            for (let i = 0; i < inputs; i++) {
              row[(at * width + over) * inputs + i]! += values[((r * columns + c) * inputs + i) * outputs + o]!;
            }
          }
        }
        matrix.push(row);
      }
    }
  }
  return matrix;
}

describe.each(['circular', 'zero'] as Padding[])('convolutions, padding %s', (padding) => {
  test.each([
    { size: [5, 4], side: 3, stride: 1 },
    { size: [6, 4], side: 3, stride: 2 },
    { size: [4, 6], side: 1, stride: 2 },
    { size: [3, 2], side: 5, stride: 1 },
    { size: [8, 8], side: 7, stride: 2 },
  ] as const)('$size, kernel $side, stride $stride: the sums of the matrix, and no less than its σ', (shape) => {
    const layer: ConvLayer = {
      kind: 'conv',
      name: 'c',
      kernel: 'c',
      stride: shape.stride,
      inputSize: shape.size,
      padding,
    };
    const kernel = tf.tensor4d(random(shape.side ** 2 * 6), [shape.side, shape.side, 2, 3]);
    const matrix = matrixOf(kernel, layer);
    const found = convNorms(new Map([['c', kernel]]), layer);
    const sum = (values: number[]): number => values.reduce((all, value) => all + Math.abs(value), 0);
    const columns = matrix[0]!.map((_, i) => sum(matrix.map((row) => row[i]!)));
    expect(found.linf).toBeCloseTo(Math.max(...matrix.map(sum)), 4);
    expect(found.l1).toBeCloseTo(Math.max(...columns), 4);
    const sigma = singularValues(tf.tensor2d(matrix)).dataSync()[0]!;
    expect(found.l2).toBeGreaterThan(sigma * (1 - 1e-6));
    expect(found.l2).toBeLessThan((padding === 'circular' ? 1 : shape.side) * sigma * (1 + 1e-5));
  });
});

describe('a residual block in ℓ2', () => {
  const conv = (name: string, stride: number, inputSize: readonly [number, number], padding: Padding): ConvLayer => ({
    ...{ kind: 'conv', name, kernel: name, stride, inputSize, padding },
  });
  const relu = activated({ name: 'relu', lipschitz: 1 });

  test.for([
    { stride: 1, shortcut: 'identity', padding: 'circular' },
    { stride: 2, shortcut: 'projection', padding: 'circular' },
    { stride: 1, shortcut: 'identity', padding: 'zero' },
  ] as const)(
    'stride $stride, $shortcut, $padding: above the slope of every pattern of its ReLU, below the plain sum',
    (block, { skip }) => {
      if (!hasNative()) skip('exact σ needs the native runtime');
      const { stride, shortcut, padding } = block;
      const outputs = shortcut === 'identity' ? 2 : 3;
      const size = 6 / stride;
      const kernel = (name: string, side: number, from: number, to: number) =>
        [name, tf.tensor4d(random(side * side * from * to, name), [side, side, from, to])] as const;
      const weights = new Map([kernel('a', 3, 2, 3), kernel('b', 3, 3, outputs), kernel('s', 1, 2, 3)]);
      const [a, b] = [conv('a', stride, [6, 6], padding), conv('b', 1, [size, size], padding)];
      const s = conv('s', stride, [6, 6], padding);
      const aside = shortcut === 'identity' ? [] : [s];
      const model = { parts: [{ kind: 'sum', branches: [[a, relu, b], aside] }], name: 'block' } as unknown as Model;
      const bound = lipschitz('test', model, weights).l2;

      const matrix = (layer: ConvLayer) => tf.tensor2d(matrixOf(weights.get(layer.name)!, layer));
      const [A, B, S] = [matrix(a), matrix(b), shortcut === 'identity' ? (tf.eye(72) as tf.Tensor2D) : matrix(s)];
      const sigma = (x: tf.Tensor): number => singularValues(x).dataSync()[0]!;
      const plain = sigma(S) + sigma(A) * sigma(B);
      if (padding === 'circular') expect(bound).toBeLessThan(0.97 * plain);
      else expect(bound).toBeLessThan(1.25 * plain);
      for (let pattern = 0; pattern < 6; pattern++) {
        const on = tf.greater(tf.randomUniform([A.shape[0], 1], 0, 1, 'float32', pattern), 0.2 * pattern).toFloat();
        expect(bound).toBeGreaterThan(sigma(tf.add(S, tf.matMul(B, tf.mul(on, A) as tf.Tensor2D))));
      }
    },
  );
});

test('batch normalization counts by γ/√(variance + ε) of each channel', () => {
  const kernel = tf.tensor4d([1, 2], [1, 1, 1, 2]);
  const normalization = { scale: 'γ', variance: 'v', epsilon: 0 };
  const layer: ConvLayer = {
    kind: 'conv',
    name: 'c',
    kernel: 'c',
    stride: 1,
    inputSize: [2, 2],
    padding: 'circular',
    normalization,
  };
  const weights = new Map<string, tf.Tensor>([
    ['c', kernel],
    ['γ', tf.tensor1d([3, -1])],
    ['v', tf.tensor1d([1, 0.25])],
  ]);
  // channels 1·3 and 2·(−1)/½
  expect(convNorms(weights, layer)).toMatchObject({ l1: 7, linf: 4 });
  expect(convNorms(weights, layer).l2).toBeGreaterThan(5 - 1e-6);
});

describe('a chain', () => {
  const slack = 1 + ROUNDING;
  const of = (parts: Part[], weights = new Map<string, tf.Tensor>()) =>
    lipschitz('test', { parts, name: 'chain' } as unknown as Model, weights);

  test('products along it, sums of branches, factors of dense layers', () => {
    const weights = new Map<string, tf.Tensor>([['w', tf.tensor2d([3, 0, 0, -4], [2, 2])]]);
    const dense: Part = { kind: 'dense', name: 'w', kernel: 'w', factor: 0.5 };
    const { l1, l2, linf } = of([{ kind: 'sum', branches: [[dense, elementwise('half', 0.5)], []] }, dense], weights);
    for (const found of [l1, l2, linf]) expect(found / slack).toBeCloseTo((0.5 * 2 + 1) * 2, 5);
  });

  test('means and largest values', () => {
    expect(of([meanOver(16)])).toEqual({ l1: slack / 16, l2: slack / 4, linf: slack });
    expect(of([largestOf(3, 2)])).toEqual({ l1: 4 * slack, l2: 2 * slack, linf: slack });
  });

  test('of an MLP it bounds every difference quotient, its scales by width included, and is met by a linear one', () => {
    const model = mlp([3, 8, 8, 2], { activation: 'relu' });
    const weights = new Map([...model.start(1)].map(([name, w]) => [name, tf.mul(w, 100)]));
    const L = lipschitz('test', model, weights);
    const [a, b] = [tf.tensor2d(random(3000, 'a'), [1000, 3]), tf.tensor2d(random(3000, 'b'), [1000, 3])];
    const moved = tf.sub(model.features(weights, a), model.features(weights, b));
    const by = tf.sub(a, b);
    const ratio = (order: 1 | 2 | typeof Infinity): number =>
      tf.max(tf.div(tf.norm(moved, order, 1), tf.norm(by, order, 1))).dataSync()[0]!;
    for (const [order, bound] of [
      [1, L.l1],
      [2, L.l2],
      [Number.POSITIVE_INFINITY, L.linf],
    ] as const) {
      expect(ratio(order)).toBeLessThan(bound);
      expect(ratio(order)).toBeGreaterThan(bound / 8);
    }
  });

  test.for([
    { padding: 'circular', shortcut: 'projection' },
    { padding: 'zero', shortcut: 'option-a' },
  ] as const)('of a residual network it bounds every difference quotient: $padding, $shortcut', (options, { skip }) => {
    if (!hasNative()) skip('convolutions need the native runtime');
    const model = resnet({ depth: 20, width: 4, classes: 2, inputSize: [8, 8], ...options });
    const weights = new Map(
      [...model.start(1)].map(([name, w]) => [name, name.endsWith('scale') ? tf.mul(w, 0.5) : w]),
    );
    const L = lipschitz('test', model, weights);
    const a = tf.tensor2d(random(40 * 192, 'a'), [40, 192]);
    const b = tf.add(a, tf.mul(tf.tensor2d(random(40 * 192, 'b'), [40, 192]), 0.01));
    const moved = tf.sub(model.features(weights, a), model.features(weights, b));
    for (const [order, bound] of [
      [1, L.l1],
      [2, L.l2],
      [Number.POSITIVE_INFINITY, L.linf],
    ] as const) {
      const ratio = tf.max(tf.div(tf.norm(moved, order, 1), tf.norm(tf.sub(a, b), order, 1))).dataSync()[0]!;
      expect(ratio).toBeGreaterThan(0);
      expect(ratio).toBeLessThan(bound);
    }
  });

  test('a model that does not say what it is made of is refused', () => {
    const { parts: _, ...model } = mlp([2, 3, 2]);
    expect(() => lipschitz('certificate', model, new Map())).toThrow(
      "stage 'certificate' needs a Lipschitz constant, but mlp 2-3-2 gelu does not say what its feature map is made of",
    );
  });
});
