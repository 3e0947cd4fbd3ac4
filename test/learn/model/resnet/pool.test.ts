import { expect, test } from 'vitest';
import { sizeOf } from '../../../../src/flow/data.js';
import { keyed } from '../../../../src/flow/random.js';
import { maxPool } from '../../../../src/learn/model/resnet/plan.js';
import { cast, hasNative, lent } from '../../../../src/tensorflow/ops/eager.js';
import { loadTensorFlow, tf } from '../../../../src/tensorflow/tf.js';

await loadTensorFlow();

test.for([
  ['float32', 9, 12, 20],
  ['float32', 8, 7, 32],
  ['bfloat16', 6, 5, 16],
] as const)(
  'the way back through a max pool is TensorFlow’s, ties included: %s, %i × %i × %i',
  ([precision, height, width, channels], { skip }) => {
    if (!hasNative()) skip('needs the native runtime');
    const random = keyed(0, 'test');
    const whole = (low: number, ...shape: number[]): tf.Tensor4D =>
      tf.tensor4d(
        Int32Array.from({ length: sizeOf(shape) }, () => Math.max(low, random.integer(9) - 4)),
        shape as [number, number, number, number],
        'float32',
      );
    const x = whole(0, 3, height, width, channels); // rectified, and of so few values that many are the same
    const dy = whole(-4, 3, Math.ceil(height / 2), Math.ceil(width / 2), channels);
    const pool = maxPool(precision);
    const [y, padded] = pool.forward(cast(lent(x), 'float32', precision));
    const dx = cast(pool.back(padded, y, cast(lent(dy), 'float32', precision)), precision, 'float32').toTensor();
    const bordered = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]); // biome-ignore format: a table
    const theirs = tf.grad((x) => tf.maxPool(x as tf.Tensor4D, 3, 2, 'valid'))(bordered, dy);
    expect(dx.shape).toEqual(x.shape);
    expect(dx.dataSync()).toEqual(tf.slice(theirs, [0, 1, 1, 0], x.shape).dataSync());
  },
);
