import { tf } from '../device-tf.js';
import { attribute, execute, hasNative } from './device-eager.js';

/** x·kernel + bias, and a rectifier behind it where asked: [batch, in] by [in, out]. No gradient. */
export function fusedMatMul(
  x: tf.Tensor2D,
  kernel: tf.Tensor2D,
  bias: tf.Tensor1D,
  activation: 'linear' | 'relu' = 'linear',
): tf.Tensor2D {
  if (!hasNative()) return tf.fused.matMul({ a: x, b: kernel, bias, activation }) as tf.Tensor2D;
  return execute(
    '_FusedMatMul',
    [
      attribute.type('T', 'float32'),
      attribute.bool('transpose_a', false),
      attribute.bool('transpose_b', false),
      attribute.int('num_args', 1),
      attribute.string('fused_ops', activation === 'relu' ? 'BiasAdd,Relu' : 'BiasAdd'), // split by setup/shim.cc
    ],
    [x, kernel, bias],
  ) as tf.Tensor2D;
}
