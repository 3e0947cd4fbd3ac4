import type { ProcessGroup } from '../collectives/ranks.js';
import { tf } from '../device-tf.js';
import { type Normalizations, numbersOf } from './batch-norm-batch-norm.js';
import { cast, type Precision } from './native-precision.js';
import { lent, type Raw } from './raw.js';

/**
 * Batch normalization over the shares of all ranks: y is what one process makes of the whole batch. Two small collectives a layer.
 *
 * Rank r goes back through the mean loss over its own n_r of the n samples; what it gives is weighted by n_r / n afterwards (see
 * across-ranks.ts). So ∂L/∂x on rank r, before that weight, is scale/σ · (g − Σ_q n_q G_q / (n n_r) − x̂ Σ_q n_q H_q / (n n_r)), with G_q
 * and H_q the sums of g and of g x̂ over rank q's share, and n counted in the numbers that a mean is over.
 */
export function synchronizedNormalizations(precision: Precision, epsilon: number, ranks: ProcessGroup): Normalizations {
  const wide = (x: Raw): tf.Tensor4D => cast(x, precision, 'float32').toTensor<tf.Tensor4D>();
  const narrow = (x: tf.Tensor): Raw => cast(lent(x), 'float32', precision);
  const own = (x: tf.Tensor): Raw => cast(lent(x), 'float32', 'float32');
  const vector = (x: Raw): tf.Tensor1D => cast(x, 'float32', 'float32').toTensor<tf.Tensor1D>();
  const over = [0, 1, 2];

  const standardized = (x: tf.Tensor4D, mean: tf.Tensor, variance: tf.Tensor): tf.Tensor4D =>
    tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, epsilon)));

  return {
    forward(x, { scale, offset }, { residual, rectify }) {
      const channels = x.shape[3]!;
      const count = numbersOf(x);
      let whole = count;
      const made = tf.tidy(() => {
        const image = wide(x);
        const ownMean = tf.mean(image, over);
        const ownVariance = tf.mean(tf.square(tf.sub(image, ownMean)), over);
        const all = ranks.collect(
          tf.concat1d([tf.tensor1d([count]), ownMean as tf.Tensor1D, ownVariance as tf.Tensor1D]),
        );
        const [counts, means, variances] = tf.split(all, [1, channels, channels], 1) as [
          tf.Tensor,
          tf.Tensor,
          tf.Tensor,
        ];
        whole = Math.round(tf.sum(counts).dataSync()[0]!);
        const share = tf.div(counts, whole);
        const mean = tf.sum(tf.mul(share, means), 0);
        const variance = tf.sum(tf.mul(share, tf.add(variances, tf.square(tf.sub(means, mean)))), 0);
        let y: tf.Tensor = tf.add(tf.mul(standardized(image, mean, variance), vector(scale)), vector(offset));
        if (residual) y = tf.add(y, wide(residual));
        return [rectify ? tf.relu(y) : y, mean, variance];
      }) as tf.Tensor[];
      const [y, mean, variance] = made as [tf.Tensor, tf.Tensor, tf.Tensor];
      const given = { y: narrow(y), mean: own(mean), variance: own(variance), count: whole };
      tf.dispose(made);
      return given;
    },

    back(dy, other, x, { y, mean, variance, count: whole }, { scale }, { residual, rectify }) {
      const count = numbersOf(x);
      const made = tf.tidy(() => {
        let g: tf.Tensor = wide(dy);
        if (other) g = tf.add(g, wide(other));
        if (rectify) g = tf.mul(g, tf.cast(tf.greater(wide(y), 0), 'float32'));
        const standard = standardized(wide(x), vector(mean), vector(variance));
        const offset = tf.sum(g, over) as tf.Tensor1D;
        const scaled = tf.sum(tf.mul(g, standard), over) as tf.Tensor1D;
        const sums = tf.mul(ranks.sum(tf.mul(tf.concat1d([offset, scaled]), count)), 1 / (whole * count));
        const [ofG, ofH] = tf.split(sums, 2) as [tf.Tensor1D, tf.Tensor1D];
        const slope = tf.mul(vector(scale), tf.rsqrt(tf.add(vector(variance), epsilon)));
        const dx = tf.mul(tf.sub(tf.sub(g, ofG), tf.mul(standard, ofH)), slope);
        return [dx, g, scaled, offset];
      }) as tf.Tensor[];
      const [dx, g, scaled, offset] = made as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
      const given = {
        ...{ x: narrow(dx), residual: residual && narrow(g) },
        ...{ scale: own(scaled), offset: own(offset) },
      };
      tf.dispose(made);
      return given;
    },
  };
}
