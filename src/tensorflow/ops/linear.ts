import { WeirError } from '../../flow/errors.js';
import { tf } from '../tf.js';
import { attribute, execute, hasNative } from './eager.js';

/** Two-dimensional discrete Fourier transform over the last two axes; complex64 to complex64. No gradient. */
export function fft2d(x: tf.Tensor): tf.Tensor {
  requireNative('fft2d');
  return execute('FFT2D', [attribute.type('Tcomplex', 'complex64')], [x]);
}

/** The inverse of `fft2d`, divided by the number of points. No gradient. */
export function ifft2d(x: tf.Tensor): tf.Tensor {
  requireNative('ifft2d');
  return execute('IFFT2D', [attribute.type('Tcomplex', 'complex64')], [x]);
}

/** Einstein summation, such as `einsum('bi,ij->bj', x, kernel)`; real or complex. No gradient. */
export function einsum(equation: string, ...inputs: tf.Tensor[]): tf.Tensor {
  if (!hasNative()) return multiplyAndSum(equation, inputs);
  const type = typeOf(inputs[0]!);
  return execute(
    'Einsum',
    [attribute.int('N', inputs.length), attribute.string('equation', equation), attribute.type('T', type)],
    inputs,
  );
}

/**
 * Products of the matrices in the last two axes, the axes before them broadcast; real or complex. No gradient.
 *
 * @param adjoint which factor is conjugated and transposed first
 */
export function batchMatMul(
  a: tf.Tensor,
  b: tf.Tensor,
  { adjoint = 'none' }: { readonly adjoint?: 'none' | 'a' | 'b' } = {},
): tf.Tensor {
  const type = typeOf(a);
  if (!hasNative() && type === 'float32') return tf.matMul(a, b, adjoint === 'a', adjoint === 'b');
  requireNative('batchMatMul of complex matrices');
  return execute(
    'BatchMatMulV2',
    [attribute.type('T', type), attribute.bool('adj_x', adjoint === 'a'), attribute.bool('adj_y', adjoint === 'b')],
    [a, b],
  );
}

/** Einstein summation as one broadcast product and a sum: the WebAssembly backend has no kernel of it. */
function multiplyAndSum(equation: string, inputs: readonly tf.Tensor[]): tf.Tensor {
  const [terms = '', output = ''] = equation.replaceAll(' ', '').split('->');
  const summed = [...new Set(terms.replaceAll(',', ''))].filter((label) => !output.includes(label));
  const labels = [...output, ...summed];
  return tf.tidy(() => {
    const aligned = terms.split(',').map((term, i) => {
      const input = inputs[i]!;
      const present = labels.filter((label) => term.includes(label));
      const ordered = tf.transpose(
        input,
        present.map((label) => term.indexOf(label)),
      );
      return ordered.reshape(labels.map((label) => (term.includes(label) ? input.shape[term.indexOf(label)]! : 1)));
    });
    const product = aligned.reduce((product, factor) => tf.mul(product, factor));
    return tf.sum(
      product,
      summed.map((_, i) => output.length + i),
    );
  });
}

function typeOf(x: tf.Tensor): 'float32' | 'complex64' {
  return x.dtype === 'complex64' ? 'complex64' : 'float32';
}

function requireNative(what: string): void {
  if (hasNative()) return;
  throw new WeirError(`${what} needs the native TensorFlow runtime`, 'run `weir setup`, which says what is missing');
}

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
      attribute.string('fused_ops', activation === 'relu' ? 'BiasAdd,Relu' : 'BiasAdd'), // split by install/binding.cc
    ],
    [x, kernel, bias],
  ) as tf.Tensor2D;
}
