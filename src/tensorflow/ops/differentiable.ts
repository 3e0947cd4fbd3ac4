/**
 * Operations that TensorFlow.js's automatic differentiation takes to any order: their gradients are made of such operations again.
 * The ones of a model out of layers, whose Jacobian is differentiated once more.
 *
 * @module
 */

import { tf } from '../tf.js';
import { type ConvolutionGeometry, convolutions } from './convolution.js';
import { hasNative, lent } from './eager.js';
import { relu, reluGrad } from './fused.js';

type Gradient = (dy: tf.Tensor, saved: tf.Tensor[]) => tf.Tensor[];

/** A function of two tensors that is linear in each, by its value and its two gradients. */
function bilinear(
  a: tf.Tensor,
  b: tf.Tensor,
  value: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  gradients: (dy: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => tf.Tensor[],
): tf.Tensor4D {
  return tf.customGrad((a, b, save) => {
    (save as tf.GradSaveFunc)([a as tf.Tensor, b as tf.Tensor]);
    const gradFunc: Gradient = (dy, [a, b]) => gradients(dy, a!, b!);
    return { value: value(a as tf.Tensor, b as tf.Tensor), gradFunc: gradFunc as never };
  })(a, b) as tf.Tensor4D;
}

/**
 * A convolution of images x, [n, height, width, in], by a kernel HWIO. The three maps — images, their gradient, the kernel's — are
 * each other's gradients.
 *
 * @throws {WeirError} without the native runtime
 */
export const convolved = (x: tf.Tensor, kernel: tf.Tensor, g: ConvolutionGeometry): tf.Tensor4D =>
  bilinear(
    x,
    kernel,
    (x, kernel) => {
      const engine = convolutions('float32');
      const packed = engine.packed(lent(kernel), g);
      const y = engine.convolve(lent(x), packed, g);
      packed.dispose();
      return y.toTensor();
    },
    (dy, x, kernel) => [convolvedBack(dy, kernel, g), convolvedFilter(x, dy, g)],
  );

/** The gradient of `convolved` with respect to x. */
const convolvedBack = (dy: tf.Tensor, kernel: tf.Tensor, g: ConvolutionGeometry): tf.Tensor4D =>
  bilinear(
    dy,
    kernel,
    (dy, kernel) => convolutions('float32').back(lent(dy), lent(kernel), g).toTensor(),
    (dx, dy, kernel) => [convolved(dx, kernel, g), convolvedFilter(dx, dy, g)],
  );

/** The gradient of `convolved` with respect to the kernel. */
const convolvedFilter = (x: tf.Tensor, dy: tf.Tensor, g: ConvolutionGeometry): tf.Tensor4D =>
  bilinear(
    x,
    dy,
    (x, dy) => convolutions('float32').filter(lent(x), lent(dy), g).toTensor(),
    (dkernel, x, dy) => [convolvedBack(dy, dkernel, g), convolved(x, dkernel, g)],
  );

/** max(x, 0); its slope at 0 is taken to be 0. */
export function rectified(x: tf.Tensor): tf.Tensor {
  if (!hasNative()) return tf.relu(x);
  return tf.customGrad((x, save) => {
    const y = relu(x as tf.Tensor);
    (save as tf.GradSaveFunc)([y]);
    return { value: y, gradFunc: (dy: tf.Tensor, [y]: tf.Tensor[]) => gated(dy, y!) };
  })(x);
}

/** dy where y is above 0; linear in dy, and constant in y. */
const gated = (dy: tf.Tensor, y: tf.Tensor): tf.Tensor =>
  tf.customGrad((dy, save) => {
    (save as tf.GradSaveFunc)([y]);
    return { value: reluGrad(dy as tf.Tensor, y), gradFunc: (d: tf.Tensor, [y]: tf.Tensor[]) => gated(d, y!) };
  })(dy);

/**
 * The largest of each window of size × size, [n, ⌊height/size⌋, ⌊width/size⌋, channels]; of equal ones the first, as in PyTorch.
 * Rows and columns that fill no window are left out.
 */
export function windowMaxima(x: tf.Tensor4D, size: number): tf.Tensor4D {
  const windows = windowsOf(x, size);
  const first = tf.oneHot(tf.argMax(windows, 4) as tf.Tensor1D, size * size, 1, 0, 'float32');
  return tf.sum(tf.mul(windows, first), 4) as tf.Tensor4D;
}

/** The mean of each window of size × size; rows and columns that fill no window are left out. */
export const windowMeans = (x: tf.Tensor4D, size: number): tf.Tensor4D => tf.mean(windowsOf(x, size), 4) as tf.Tensor4D;

/** [n, rows, columns, channels, size²]: each window's values behind one another. */
function windowsOf(x: tf.Tensor4D, size: number): tf.Tensor {
  const [n, height, width, channels] = x.shape;
  const rows = Math.floor(height / size);
  const columns = Math.floor(width / size);
  const whole = tf.slice(x, [0, 0, 0, 0], [n, rows * size, columns * size, channels]);
  const cut = tf.reshape(whole, [n, rows, size, columns, size, channels]);
  return tf.reshape(tf.transpose(cut, [0, 1, 3, 5, 2, 4]), [n, rows, columns, channels, size * size]);
}
