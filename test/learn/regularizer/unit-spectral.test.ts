import { beforeAll, expect, test } from 'vitest';
import { mlp } from '../../../src/learn/model/mlp.js';
import type { Model } from '../../../src/learn/model/model.js';
import { regularizer } from '../../../src/learn/regularizer/registry.js';
import { isSpectral, type SpectralRegularizer } from '../../../src/learn/regularizer/spectral.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';

beforeAll(() => loadTensorFlow());

const model = mlp([2, 2, 2]);
const diagonal = (top: number) => tf.tensor2d([top, 0, 0, 0.5], [2, 2]);
const weightsOf = (...more: readonly (readonly [string, tf.Tensor])[]) =>
  new Map<string, tf.Tensor>([
    ['hidden1/kernel', diagonal(2)],
    ['hidden1/bias', tf.tensor1d([3, 4])],
    ['readout/kernel', diagonal(0.8)],
    ['readout/bias', tf.tensor1d([0, 0])],
    ...more,
  ]);

function built(weights: ReadonlyMap<string, tf.Tensor>, options: object, of: Model = model): SpectralRegularizer {
  const one = regularizer('unit-spectral', of, { gamma: 0.1, directions: 'exact', ...options }) as SpectralRegularizer;
  expect(isSpectral(one)).toBe(true);
  one.ticked = true;
  one.newest = one.begin(weights);
  return one;
}

test.each([
  { exponent: 1, value: (2 - 1) ** 2 + (0.8 - 1) ** 2 + 25, slopes: [2 * (2 - 1), 2 * (0.8 - 1)], bias: 2 },
  {
    exponent: 2,
    value: (4 - 1) ** 2 + (0.64 - 1) ** 2 + 625,
    slopes: [4 * (4 - 1) * 2, 4 * (0.64 - 1) * 0.8],
    bias: 4 * 25,
  },
])('in numbers, k = $exponent', ({ exponent, value, slopes, bias }) => {
  const weights = weightsOf();
  const one = built(weights, { exponent });
  expect(one.value({ weights })).toBeCloseTo(0.1 * value, 4);
  const gradients = new Map([...weights].map(([name, w]) => [name, tf.zerosLike(w)]));
  one.addGradients({ weights }, gradients);
  const of = (name: string) => [...gradients.get(name)!.dataSync()];
  expect(of('hidden1/kernel')).toEqual([0.1 * slopes[0]!, 0, 0, 0].map((x) => expect.closeTo(x, 4)));
  expect(of('readout/kernel')).toEqual([0.1 * slopes[1]!, 0, 0, 0].map((x) => expect.closeTo(x, 4)));
  expect(of('hidden1/bias')).toEqual([0.3 * bias, 0.4 * bias].map((x) => expect.closeTo(x, 4)));
  expect(of('readout/bias')).toEqual([0, 0]);
});

test('scales of a normalization go to 1, and its shifts to 0', () => {
  const weights = weightsOf(['norm/scale', tf.tensor1d([3, 1])], ['norm/shift', tf.tensor1d([0, 2])]);
  const plain = weightsOf();
  const [one, without] = [built(weights, {}), built(plain, {})];
  expect(one.value({ weights }) - without.value({ weights: plain })).toBeCloseTo(0.1 * (4 + 16), 4);
  const gradients = new Map([...weights].map(([name, w]) => [name, tf.zerosLike(w)]));
  one.addGradients({ weights }, gradients);
  expect([...gradients.get('norm/scale')!.dataSync()]).toEqual([expect.closeTo(0.4, 5), 0]);
  expect([...gradients.get('norm/shift')!.dataSync()]).toEqual([0, expect.closeTo(0.1 * 4 * 4 * 2, 4)]);
});

test('a matrix that is the kernel of no layer is refused by its name, and an exponent of 0', () => {
  const weights = weightsOf(['attention/query', tf.ones([2, 3])]);
  const gradients = new Map([...weights].map(([name, w]) => [name, tf.zerosLike(w)]));
  expect(() => built(weights, {}).addGradients({ weights }, gradients)).toThrow(
    "regularizer 'unit-spectral' does not know the weight 'attention/query' of [2, 3]",
  );
  expect(() => regularizer('unit-spectral', model, { gamma: 1, exponent: 0 })).toThrow('exponent = 0');
});
