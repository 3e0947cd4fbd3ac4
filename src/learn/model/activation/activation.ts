import { tf } from '../../device/tf.js';

/** A nonlinearity φ, elementwise. */
export interface Activation {
  readonly name: string;
  /** max |φ'|: the paper's product bound (A.12) takes it to be at most 1, and it is squared in that bound. */
  readonly lipschitz: number;
  /** φ(z), same shape. */
  value(z: tf.Tensor2D): tf.Tensor2D;
  /** φ'(z), same shape. */
  derivative(z: tf.Tensor2D): tf.Tensor2D;
  /** φ'(z) · dh, same shape, where one pass does it. */
  pull?(z: tf.Tensor2D, dh: tf.Tensor2D): tf.Tensor2D;
}

/** φ'(z) · dh, same shape: the gradient behind the activation, given the one before it. */
export function pulled(phi: Activation, z: tf.Tensor2D, dh: tf.Tensor2D): tf.Tensor2D {
  return phi.pull?.(z, dh) ?? tf.tidy(() => tf.mul(dh, phi.derivative(z)));
}
