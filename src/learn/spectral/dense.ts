import { keyed } from '../../flow/seed.js';
import { tf } from '../../tensorflow/device-tf.js';
import type { Singular } from './spectrum.js';

/** When power iteration stops: after `steps`, or before where v rests. */
export interface Stop {
  readonly steps: number;
  /** Stop when v moved less than this, ‖Δv‖₂. */
  readonly direction?: number;
}

/**
 * Power iteration for the largest singular value of a dense layer y = xW (paper, appendix C, algorithm 1):
 * u ← Wᵀv/‖·‖, v ← Wu/‖·‖, and at the end σ = ‖Wᵀv‖ with its u, so that ∂σ²/∂W = 2σ v uᵀ for W of [in, out].
 *
 * @param kernel W, [in, out]; only read
 * @param v where to start, of length in; need not be normalized
 */
export function powerIterate(kernel: tf.Tensor2D, v: Float32Array, { steps, direction }: Stop): Singular {
  return tf.tidy(() => {
    let at = unit(tf.tensor2d(v, [v.length, 1]));
    let image = tf.matMul(kernel, at, true);
    for (let i = 0; i < steps; i++) {
      const before = at;
      at = unit(tf.matMul(kernel, unit(image)));
      image = tf.matMul(kernel, at, true);
      if (direction !== undefined && scalar(tf.norm(tf.sub(at, before))) < direction) break;
    }
    const values = image.dataSync<'float32'>();
    const length = Math.sqrt(values.reduce((sum, y) => sum + y * y, 0));
    // an all-zero kernel has σ = 0 and no direction: the one it was given stays
    const u = values.map((y) => (length === 0 ? 0 : y / length));
    return { sigma: length, u: Float32Array.from(u), v: length === 0 ? v.slice() : at.dataSync<'float32'>().slice() };
  });
}

/** N(0, I) keyed by seed and layer: a first direction. */
export function firstDirection(seed: number, layer: number, length: number): Float32Array {
  const random = keyed(seed, 'spectral/direction', layer);
  return Float32Array.from({ length }, () => random.normal());
}

const unit = (x: tf.Tensor): tf.Tensor2D => tf.div(x, tf.maximum(tf.norm(x), 1e-30)) as tf.Tensor2D;

const scalar = (x: tf.Tensor): number => x.dataSync()[0]!;
