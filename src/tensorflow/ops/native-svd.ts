import { tf } from '../device-tf.js';
import { attribute, execute, executeAll, hasNative } from './device-eager.js';
import { jacobi, type Svd } from './jacobi.js';

export type { Svd } from './jacobi.js';

/** The singular value decomposition of the matrices in the last two axes; complex ones and batches on the native runtime only. No gradient. */
export function svd(a: tf.Tensor): Svd {
  if (!hasNative()) return jacobi(a as tf.Tensor2D);
  const [s, u, v] = executeAll('Svd', attributes(a, true), [a], 3);
  return { s: real(s!), u: u!, v: v! };
}

/** The singular values alone, [..., k], falling. */
export function singularValues(a: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    if (!hasNative()) return jacobi(a as tf.Tensor2D).s;
    return real(executeAll('Svd', attributes(a, false), [a], 3)[0]!);
  });
}

function attributes(a: tf.Tensor, vectors: boolean) {
  return [
    attribute.type('T', a.dtype === 'complex64' ? 'complex64' : 'float32'),
    attribute.bool('compute_uv', vectors),
    attribute.bool('full_matrices', false),
  ];
}

/** TensorFlow gives the singular values of a complex matrix as complex numbers. */
function real(s: tf.Tensor): tf.Tensor {
  if (s.dtype !== 'complex64') return s;
  const values = execute('Real', [attribute.type('T', 'complex64'), attribute.type('Tout', 'float32')], [s]);
  s.dispose();
  return values;
}
