import type { ByNorm } from '../../learn/model/part.js';
import { tf } from '../../tensorflow/device-tf.js';

/**
 * The norms of y = xW induced by ℓp on both sides, for a kernel [in, out], none of them from below: the largest absolute sum over
 * the outputs of an input (p = 1) or over the inputs of an output (p = ∞), and σ (p = 2).
 *
 * The sums are taken in float64; σ is rounded as `sigmaAtMost` says.
 */
export function denseNorms(kernel: tf.Tensor2D): ByNorm<number> {
  const [inputs, outputs] = kernel.shape;
  const values = kernel.dataSync<'float32'>();
  const columns = new Float64Array(outputs);
  let l1 = 0;
  for (let i = 0, at = 0; i < inputs; i++) {
    let row = 0;
    for (let o = 0; o < outputs; o++, at++) {
      const size = Math.abs(values[at]!);
      row += size;
      columns[o]! += size;
    }
    l1 = Math.max(l1, row);
  }
  return { l1, l2: sigmaAtMost(kernel), linf: Math.max(...columns) };
}

/** How far above σ the bound may end, as a part of σ. */
const EXCESS = 1e-7;

/**
 * σ from above (power iteration gives it from below): for the Gram matrix G = WᵀW or WWᵀ, σ² = λ_max(G) ≤ ‖G^m‖_F^(1/m), m = 1, 2, 4, …
 * by squaring. The excess at each m is known, for ‖A‖_F = 1 gives λ_max(A) ≥ ‖A²‖_F; it stops below 10⁻⁷ of σ.
 *
 * The products are rounded to float32, the first one's errors counting for half and those of each later one for half as much again:
 * some 10⁻⁷ of σ for the layers here, not bounded by a proof. Whoever needs it safe adds a margin.
 */
export function sigmaAtMost(kernel: tf.Tensor2D): number {
  const [rows, columns] = kernel.shape;
  let power: tf.Tensor2D = tf.matMul(kernel, kernel, rows > columns, rows <= columns); // G^m e^(−logarithm)
  let logarithm = 0;
  for (let m = 1; ; m *= 2) {
    const size = frobenius(power);
    if (!(size > 0)) {
      power.dispose();
      return size; // 0, or NaN
    }
    const before = power;
    power = tf.tidy(() => {
      const unit = tf.div(before, size) as tf.Tensor2D;
      return tf.matMul(unit, unit);
    });
    before.dispose();
    logarithm += Math.log(size);
    const excess = -Math.log(frobenius(power)) / (2 * m); // of the logarithm of σ
    if (!(excess > EXCESS)) {
      power.dispose();
      return Math.exp(logarithm / (2 * m));
    }
    logarithm *= 2;
  }
}

function frobenius(matrix: tf.Tensor2D): number {
  const size = tf.norm(matrix);
  const [value] = size.dataSync<'float32'>();
  size.dispose();
  return value!;
}
