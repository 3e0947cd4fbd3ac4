import { WeirError } from '../../flow/errors.js';
import { fusedGelu, fusedGeluProduct, fusedGeluSlope, hasFused, narrow } from '../../tensorflow/ops/fused.js';
import { tf } from '../../tensorflow/tf.js';

/** A nonlinearity φ, elementwise. */
export interface Activation {
  readonly name: string;
  /** max |φ'|. The paper's product bound (A.12), where it is squared, takes it to be at most 1. */
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

/** φ((z + bias) · scale), the part of a dense layer behind its product. Can be differentiated. */
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

/** φ((z + y + bias) · scale) · kernel: an activation of sums in two parts, and the product of the layer behind it. No gradient. */
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

/** φ(z) = max(z, 0); φ'(0) is taken to be 0, and φ'' to be 0 everywhere. */
export const relu: Activation = {
  name: 'relu',
  lipschitz: 1,
  value: (z) => tf.relu(z),
  derivative: (z) => tf.tidy(() => tf.cast(tf.greater(z, 0), 'float32')),
  curvature: (z) => tf.zerosLike(z),
};

/** φ(z) = tanh z, φ'(z) = 1 − tanh² z, φ'' = −2φφ'. */
export const tanh: Activation = {
  name: 'tanh',
  lipschitz: 1,
  value: (z) => tf.tanh(z),
  derivative: (z) => tf.tidy(() => tf.sub(1, tf.square(tf.tanh(z)))),
  curvature: (z) =>
    tf.tidy(() => {
      const value = tf.tanh(z);
      return tf.mul(tf.mul(value, -2), tf.sub(1, tf.square(value)));
    }),
};

/** φ(z) = 1/(1 + e⁻ᶻ), φ'(z) = φ(1 − φ), φ'' = φ'(1 − 2φ). */
const sigmoid: Activation = {
  name: 'sigmoid',
  lipschitz: 0.25,
  value: (z) => tf.sigmoid(z),
  derivative: (z) =>
    tf.tidy(() => {
      const value = tf.sigmoid(z);
      return tf.mul(value, tf.sub(1, value));
    }),
  curvature: (z) =>
    tf.tidy(() => {
      const value = tf.sigmoid(z);
      return tf.mul(tf.mul(value, tf.sub(1, value)), tf.sub(1, tf.mul(value, 2)));
    }),
};

const ERF_OF_1 = 0.8427007929497149;

/**
 * φ(z) = z · N(z), N the cumulative normal distribution by erf (not its tanh approximation), as in all experiments of the paper.
 *
 * φ'(z) = N(z) + z · n(z), n the normal density. It exceeds 1: its maximum is ½(1 + erf 1) + 1/(e√π) = 1.129 at z = √2,
 * although (A.12) takes slopes to be at most 1. φ''(z) = (2 − z²) n(z).
 */
export const gelu: Activation = {
  name: 'gelu',
  lipschitz: (1 + ERF_OF_1) / 2 + 1 / (Math.E * Math.sqrt(Math.PI)),
  value: (z) => tf.tidy(() => tf.mul(z, cumulative(z))),
  derivative: (z) => tf.tidy(() => tf.add(cumulative(z), tf.mul(z, density(z)))),
  curvature: (z) => tf.tidy(() => tf.mul(density(z), tf.sub(2, tf.square(z)))),
  fused: () => (hasFused() ? fused : undefined),
};

const cumulative = (z: tf.Tensor2D): tf.Tensor2D => tf.mul(tf.add(tf.erf(tf.mul(z, Math.SQRT1_2)), 1), 0.5);

const density = (z: tf.Tensor2D): tf.Tensor2D => tf.mul(tf.exp(tf.mul(tf.square(z), -0.5)), 1 / Math.sqrt(2 * Math.PI));

const fused: Fused = {
  value: (z, bias, scale) =>
    tf.customGrad((z, bias, save) => {
      (save as tf.GradSaveFunc)([z as tf.Tensor, bias as tf.Tensor]);
      return {
        value: fusedGelu(z as tf.Tensor2D, bias as tf.Tensor1D, scale),
        gradFunc: (dh: tf.Tensor, saved: tf.Tensor[]) => {
          const [, slope] = fusedGeluSlope(saved[0] as tf.Tensor2D, saved[1] as tf.Tensor1D, scale);
          const dz = tf.mul(dh, slope);
          return [dz, tf.sum(dz, 0)];
        },
      };
    })(z, bias) as tf.Tensor2D,
  withSlope: fusedGeluSlope,
  product: fusedGeluProduct,
};

/** The activations that a config can name: a new one is a constant above and a name here. */
export const activations = { gelu, relu, tanh, sigmoid } as const;

export type ActivationName = keyof typeof activations;

/** The activation of that name. */
export function activationNamed(name: ActivationName): Activation {
  const known: Activation | undefined = activations[name];
  if (known === undefined) {
    throw new WeirError(`there is no activation '${name}'`, `name one of ${Object.keys(activations).join(', ')}`);
  }
  return known;
}
