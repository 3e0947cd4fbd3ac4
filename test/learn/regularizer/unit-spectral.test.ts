import { beforeAll, expect, test } from 'vitest';
import { keyed } from '../../../src/flow/random.js';
import { crossEntropy } from '../../../src/learn/loss/cross-entropy.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import type { Model } from '../../../src/learn/model/model.js';
import { resnet } from '../../../src/learn/model/resnet/resnet.js';
import { sgd } from '../../../src/learn/optimizer/sgd.js';
import { regularizer } from '../../../src/learn/regularizer/registry.js';
import { isSpectral, type SpectralRegularizer } from '../../../src/learn/regularizer/spectral.js';
import { trainStage } from '../../../src/learn/train.js';
import { hasNative } from '../../../src/tensorflow/ops/eager.js';
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

test('on a ResNet with batch normalization the gradient is the slope, and an update leaves finite weights', ({
  skip,
}) => {
  if (!hasNative()) return skip('convolutions need the native runtime');
  const model = resnet({ depth: 18, width: 4, classes: 4, inputSize: [8, 8] });
  const random = keyed(1, 'unit-spectral test');
  const normals = (w: tf.Tensor): tf.Tensor =>
    tf.tensor(
      Float32Array.from({ length: w.size }, () => random.normal()),
      w.shape,
    );
  const fixed = new Set(model.statistics);
  const trained = [...model.start(3)].filter(([name]) => !fixed.has(name));
  const statistics = [...model.start(3)].filter(([name]) => fixed.has(name));
  expect(trained.filter(([name]) => name.endsWith('/scale')).length).toBeGreaterThan(10);
  const at = trained.map(([name, w]) => [name, tf.add(w, tf.mul(normals(w), 0.1))] as const); // else scales are 1, and shifts 0
  const along = at.map(([, w]) => normals(w));
  const weights = new Map<string, tf.Tensor>([...at, ...statistics]);
  const gradients = new Map<string, tf.Tensor>(at.map(([name, w]) => [name, tf.zerosLike(w)]));
  built(weights, {}, model).addGradients({ weights }, gradients);

  const valueAt = (step: number): number => {
    const moved = at.map(([name, w], i) => [name, tf.add(w, tf.mul(along[i]!, step))] as const);
    const there = new Map<string, tf.Tensor>([...moved, ...statistics]);
    return built(there, {}, model).value({ weights: there });
  };
  const slope = (valueAt(1e-3) - valueAt(-1e-3)) / 2e-3;
  const found = at.map(([name], i) => tf.sum(tf.mul(gradients.get(name)!, along[i]!)).dataSync()[0]!);
  expect(found.every((one) => Number.isFinite(one) && one !== 0)).toBe(true);
  expect(found.reduce((sum, one) => sum + one, 0) / slope).toBeCloseTo(1, 2);

  const one = regularizer('unit-spectral', model, { gamma: 0.1 }) as SpectralRegularizer;
  one.ticked = true;
  one.newest = one.begin(weights);
  const stage = trainStage(model, { loss: crossEntropy(), optimizer: sgd({ rate: 1e-3 }), regularizer: one, seed: 3 });
  const values = Float32Array.from({ length: 8 * 192 }, () => random.normal());
  const labels = Uint8Array.from({ length: 8 }, (_, i) => i % 4);
  const batch = { position: 8, epoch: 1, remaining: 0, sampleShape: [8, 8, 3], values, labels };
  const [{ weights: after }] = stage.next(stage.start(), batch);
  for (const [name, w] of after) expect(w.dataSync().every(Number.isFinite), name).toBe(true);
  expect(one.value({ weights: after })).toBeLessThan(one.value({ weights: model.start(3) }));
});

test('a matrix that is the kernel of no layer is refused by its name, and an exponent of 0', () => {
  const weights = weightsOf(['attention/query', tf.ones([2, 3])]);
  const gradients = new Map([...weights].map(([name, w]) => [name, tf.zerosLike(w)]));
  expect(() => built(weights, {}).addGradients({ weights }, gradients)).toThrow(
    "regularizer 'unit-spectral' does not know the weight 'attention/query' of [2, 3]",
  );
  expect(() => regularizer('unit-spectral', model, { gamma: 1, exponent: 0 })).toThrow('exponent = 0');
});
