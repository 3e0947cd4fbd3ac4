import { describe, expect, test } from 'vitest';
import { affine, gelu } from '../../../src/learn/model/activation.js';
import {
  addOuter,
  clampedRows,
  fusedGelu,
  fusedGeluProduct,
  fusedGeluSlope,
  hasFused,
  pullBack,
  sgdStep,
} from '../../../src/tensorflow/ops/fused.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';

await loadTensorFlow();

const random = (shape: [number, number], seed: number) => tf.randomNormal(shape, 0, 2, 'float32', seed) as tf.Tensor2D;

function agree(found: tf.Tensor, wanted: tf.Tensor, tolerance = 1e-6): void {
  expect(found.shape).toEqual(wanted.shape);
  const scale = Math.max(1, tf.max(tf.abs(wanted)).dataSync()[0]!);
  expect(tf.max(tf.abs(tf.sub(found, wanted))).dataSync()[0]! / scale).toBeLessThan(tolerance);
}

// Shapes with remainders: neither rows nor columns are a multiple of what a thread or a register takes.
describe.skipIf(!hasFused())('single passes agree with the same composed (native runtime on a CPU only)', () => {
  const z = random([133, 301], 1);
  const bias = random([1, 301], 2).reshape([301]) as tf.Tensor1D;

  test('gelu of a biased, scaled product, and its slope', () => {
    const wanted = affine(z, bias, 0.3);
    const [h, slope] = fusedGeluSlope(z, bias, 0.3);
    agree(h, gelu.value(wanted));
    agree(fusedGelu(z, bias, 0.3), gelu.value(wanted));
    agree(slope, tf.mul(gelu.derivative(wanted), 0.3));
  });

  test('gelu at the ends: zero far to the left, the identity far to the right, NaN stays NaN', () => {
    const [h, slope] = fusedGeluSlope(tf.tensor2d([[-40, 0, 40, Number.NaN]]), tf.zeros([4]) as tf.Tensor1D, 1);
    expect([...h.dataSync()].map((x) => x + 0)).toEqual([0, 0, 40, Number.NaN]);
    expect([...slope.dataSync()]).toEqual(
      [0, 0.5, 1, Number.NaN].map((x) => (Number.isNaN(x) ? x : expect.closeTo(x, 6))),
    );
  });

  test.each([1, 7, 10, 32])('gelu of sums in two parts, and the product of a layer of %i behind it', (k) => {
    const [y, kernel] = [random([133, 301], 8), random([301, k], 9)];
    const found = fusedGeluProduct([z, y], bias, 0.3, kernel);
    agree(found, tf.matMul(gelu.value(affine(tf.add(z, y), bias, 0.3)), kernel));
    const rows = fusedGeluProduct([tf.slice(z, 5, 3), tf.slice(y, 5, 3)], bias, 0.3, kernel);
    expect([...rows.dataSync()]).toEqual([...tf.slice(found, 5, 3).dataSync()]); // the same bits wherever a row stands
  });

  test('what clamping changes of some rows', () => {
    const rows = tf.tensor1d([132, 0, 7, 0], 'int32');
    const least = tf.tensor1d([-1, 0.5, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    const most = tf.tensor1d([1, 0.5, 0, Number.POSITIVE_INFINITY]);
    const taken = tf.gather(z, rows);
    const wanted = tf.sub(tf.minimum(tf.maximum(taken, least.expandDims(1)), most.expandDims(1)), taken);
    expect([...clampedRows(z, rows, least, most).dataSync()]).toEqual([...wanted.dataSync()]);
  });

  test('back through a narrow layer', () => {
    const d = random([133, 7], 3);
    const kernel = random([301, 7], 4);
    const [dz, sum] = pullBack(d, kernel, z);
    const wanted = tf.mul(tf.matMul(d, kernel, false, true), z);
    agree(dz, wanted);
    agree(sum, tf.sum(wanted, 0), 1e-5);
  });

  test('a product of rank one added', () => {
    const v = tf.linspace(-1, 1, 133);
    agree(addOuter(z, v, bias), tf.add(z, tf.outerProduct(v as tf.Tensor1D, bias)));
  });

  test('an update by gradient descent', () => {
    const [w, g, velocity] = [random([133, 301], 5), random([133, 301], 6), random([133, 301], 7)];
    const [moved, next] = sgdStep(w, g, velocity, { rate: 0.1, momentum: 0.9, decay: 0.01 });
    const wanted = tf.add(tf.mul(velocity, 0.9), tf.add(g, tf.mul(w, 0.01)));
    agree(next, wanted);
    agree(moved, tf.sub(w, tf.mul(wanted, 0.1)));
  });

  test('what does not fit is refused', () => {
    expect(() => fusedGelu(z, tf.zeros([300]), 1)).toThrow('bias does not fit z');
    expect(() => fusedGeluProduct([z, tf.zeros([133, 300])], bias, 1, random([301, 7], 4))).toThrow('does not fit z');
    expect(() => fusedGeluProduct([z, z], bias, 1, random([301, 33], 4))).toThrow('more than 32 columns');
    const none = tf.zeros([1]) as tf.Tensor1D;
    expect(() => clampedRows(z, tf.tensor1d([133], 'int32'), none, none)).toThrow('no such row');
  });
});
