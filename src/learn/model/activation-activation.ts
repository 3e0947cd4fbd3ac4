import { tf } from '../../tensorflow/device-tf.js';
import { narrow } from '../../tensorflow/ops/fused.js';

/** A nonlinearity φ, elementwise. */
export interface Activation {
  readonly name: string;
  /** max |φ'|: the paper's product bound (A.12) takes it to be at most 1, and it is squared in that bound. */
  readonly lipschitz: number;
  /** φ(z), same shape. */
  value(z: tf.Tensor2D): tf.Tensor2D;
  /** φ'(z), same shape. */
  derivative(z: tf.Tensor2D): tf.Tensor2D;
  /** φ''(z), same shape: how the Jacobian changes with the weights. */
  curvature(z: tf.Tensor2D): tf.Tensor2D;
  /** `activate`, `activateWithSlope` and `activatedProduct` in one pass over memory, where this runtime has one. */
  fused?(): Fused | undefined;
}

export interface Fused {
  value(z: tf.Tensor2D, bias: tf.Tensor1D, scale: number): tf.Tensor2D;
  withSlope(z: tf.Tensor2D, bias: tf.Tensor1D, scale: number): [h: tf.Tensor2D, slope: tf.Tensor2D];
  /** For kernels of at most `narrow` columns. */
  product(
    sums: readonly [tf.Tensor2D, tf.Tensor2D],
    bias: tf.Tensor1D,
    scale: number,
    kernel: tf.Tensor2D,
  ): tf.Tensor2D;
}

/** φ((z + bias) · scale): what follows the product of a dense layer. Can be differentiated. */
export function activate(phi: Activation, z: tf.Tensor2D, bias: tf.Tensor1D, scale: number): tf.Tensor2D {
  return phi.fused?.()?.value(z, bias, scale) ?? tf.tidy(() => phi.value(affine(z, bias, scale)));
}

/** The same, with its derivative with respect to z. */
export function activateWithSlope(
  phi: Activation,
  z: tf.Tensor2D,
  bias: tf.Tensor1D,
  scale: number,
): [h: tf.Tensor2D, slope: tf.Tensor2D] {
  const fused = phi.fused?.();
  if (fused !== undefined) return fused.withSlope(z, bias, scale);
  return tf.tidy(() => {
    const sum = affine(z, bias, scale);
    const slope = phi.derivative(sum);
    return [phi.value(sum), scale === 1 ? slope : tf.mul(slope, scale)];
  }) as [tf.Tensor2D, tf.Tensor2D];
}

/** φ((z + y + bias) · scale) · kernel: an activation and the product of the layer behind it, where the sums come in two parts. No gradient. */
export function activatedProduct(
  phi: Activation,
  [z, y]: readonly [tf.Tensor2D, tf.Tensor2D],
  bias: tf.Tensor1D,
  scale: number,
  kernel: tf.Tensor2D,
): tf.Tensor2D {
  const fused = kernel.shape[1] <= narrow ? phi.fused?.() : undefined;
  if (fused !== undefined) return fused.product([z, y], bias, scale, kernel);
  return tf.tidy(() => tf.matMul(activate(phi, tf.add(z, y), bias, scale), kernel));
}

/** (z + bias) · scale. */
export function affine(z: tf.Tensor2D, bias: tf.Tensor1D, scale: number): tf.Tensor2D {
  const sum = tf.add(z, bias) as tf.Tensor2D;
  return scale === 1 ? sum : tf.mul(sum, scale);
}
