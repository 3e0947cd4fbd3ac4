import { WeirError } from '../../flow/errors.js';
import { type ProcessGroup, processGroup } from '../collectives/process-group.js';
import { tf } from '../tf.js';
import { attribute, cast, constant, lent, needsNative, nothing, type Precision, type Raw, run } from './eager.js';
import { hasFused } from './fused.js';

/** PyTorch's ε under the root of a batch normalization, and the weight of a batch in its running statistics. */
export const EPSILON = 1e-5;
const MOMENTUM = 0.1;

/** The mean and the variance of a channel each, [channels]. */
export interface Statistics {
  readonly mean: tf.Tensor;
  readonly variance: tf.Tensor;
}

/**
 * Running statistics after a batch: (1 − m) · old + m · batch, with the unbiased variance, as PyTorch keeps them. New tensors.
 *
 * @param name of the layer @param count numbers that each mean is over @param batch with the biased variance
 * @throws {WeirError} for a single number a channel, which has no variance
 */
export function movedRunning(name: string, count: number, batch: Statistics, running: Statistics): Statistics {
  if (count < 2) {
    throw new WeirError(
      `'${name}' normalizes over a single value per channel`,
      'train on batches of two samples or more, or on larger images',
    );
  }
  const moved = (key: keyof Statistics, factor: number): tf.Tensor =>
    tf.add(tf.mul(running[key], 1 - MOMENTUM), tf.mul(batch[key], MOMENTUM * factor));
  return { mean: moved('mean', 1), variance: moved('variance', count / (count - 1)) };
}

/** What a batch normalization learns, [channels] each, float32. */
export interface Affine {
  readonly scale: Raw;
  readonly offset: Raw;
}

/** What follows it: a rectifier or nothing, or a residual of the shape of x and a rectifier behind the sum. */
export type NormalizationEpilogue =
  | { readonly rectify: boolean; readonly residual?: undefined }
  | { readonly rectify: true; readonly residual: Raw };

export interface Normalized {
  readonly y: Raw;
  /** Of the batch by channel, float32; the variance is the biased one, which normalizes. They belong to the caller, as y does. */
  readonly mean: Raw;
  readonly variance: Raw;
  /** Numbers that each mean is over. */
  readonly count: number;
}

/** How many numbers the mean of a channel of images [n, height, width, channels] is over. */
export const numbersOf = ({ shape: [n, height, width] }: Raw): number => n! * height! * width!;

/** Gradients, all new. */
export interface NormalizedBack {
  readonly x: Raw;
  /** With respect to the residual; undefined where there was none. */
  readonly residual: Raw | undefined;
  readonly scale: Raw;
  readonly offset: Raw;
}

/**
 * Batch normalization in training mode, y = scale (x − mean)/√(variance + ε) + offset, then a residual and a rectifier where asked.
 * x is [n, height, width, channels] of the precision asked for. What is handed in stays the caller's.
 */
export interface Normalizations {
  forward(x: Raw, affine: Affine, after: NormalizationEpilogue): Normalized;
  /** @param dy the gradient with respect to y, and `other` what is to be added to it */
  back(
    dy: Raw,
    other: Raw | undefined,
    x: Raw,
    normalized: Normalized,
    affine: Affine,
    after: NormalizationEpilogue,
  ): NormalizedBack;
}

/**
 * Batch normalization by TensorFlow's own `FusedBatchNormV3` and its gradient: on a GPU, or where the binding has no other.
 *
 * TensorFlow gives the variance with Bessel's correction; here it is taken back, so that both ways say the same.
 */
export function composedNormalizations(precision: Precision, epsilon: number): Normalizations {
  const T = attribute.type('T', precision);
  const attributes = [
    T,
    attribute.type('U', 'float32'),
    attribute.float('epsilon', epsilon),
    attribute.string('data_format', 'NHWC'),
    attribute.bool('is_training', true),
  ];
  const normalize = (x: Raw, scale: Raw, offset: Raw): Raw[] => {
    const none = constant('float32', []);
    const all = [...attributes, attribute.float('exponential_avg_factor', 1)];
    return [...run('FusedBatchNormV3', all, [x, scale, offset, none, none], 6)];
  };

  return {
    forward(x, { scale, offset }, { residual, rectify }) {
      const [normalized, mean, corrected, ...reserved] = normalize(x, scale, offset) as [Raw, Raw, Raw, ...Raw[]];
      const count = numbersOf(x);
      const float = attribute.type('T', 'float32');
      const [variance] = run('Mul', [float], [corrected, constant('float32', [(count - 1) / count])]);
      for (const raw of [corrected, ...reserved]) raw.dispose();
      let y = normalized;
      if (residual) [y] = taking(y, run('AddV2', [T], [y, residual]));
      if (rectify) [y] = taking(y, run('Relu', [T], [y]));
      return { y, mean, variance, count };
    },

    back(dy, other, x, { y }, { scale, offset }, { residual, rectify }) {
      let g = run('Identity', [T], [dy])[0];
      if (other) [g] = taking(g, run('AddV2', [T], [g, other]));
      if (rectify) [g] = taking(g, run('ReluGrad', [T], [g, y]));
      const [unused, mean, variance, ...reserved] = normalize(x, scale, offset) as [Raw, Raw, Raw, ...Raw[]];
      const [dx, dscale, doffset, ...rest] = run('FusedBatchNormGradV3', attributes, [g, x, scale, ...reserved], 5) as [
        Raw,
        Raw,
        Raw,
        ...Raw[],
      ];
      for (const raw of [unused, mean, variance, ...reserved, ...rest]) raw.dispose();
      if (!residual) g.dispose();
      return { x: dx, residual: residual ? g : undefined, scale: dscale, offset: doffset };
    },
  };
}

/** What an operation made of x, which is disposed of. */
function taking<R extends readonly Raw[]>(x: Raw, made: R): R {
  x.dispose();
  return made;
}

/** By the operations of kernels/normalization.cc. Only where `hasFused()`. */
export function fusedNormalizations(precision: Precision, epsilon: number): Normalizations {
  const suffix = precision === 'bfloat16' ? '16' : '';
  return {
    forward(x, { scale, offset }, { residual, rectify }) {
      const [mean, variance] = run(`WeirMoments${suffix}`, [], [x], 2) as [Raw, Raw];
      const settings = constant('float32', [epsilon, Number(rectify)]);
      const inputs = [x, mean, variance, scale, offset, residual ?? nothing(precision), settings];
      return { y: run(`WeirNormalize${suffix}`, [], inputs)[0], mean, variance, count: numbersOf(x) };
    },
    back(dy, other, x, { y, mean, variance }, { scale, offset }, { residual, rectify }) {
      const joined = residual !== undefined; // then only y knows where the rectifier was open
      const images = [dy, other ?? nothing(precision), x, joined ? y : nothing(precision)];
      const inputs = [...images, mean, variance, scale, offset, constant('float32', [epsilon, Number(rectify)])];
      const [dx, g, dscale, doffset] = run(`WeirNormalizeBack${suffix}`, [], inputs, 4) as [Raw, Raw, Raw, Raw];
      if (!joined) g.dispose();
      return { x: dx, residual: joined ? g : undefined, scale: dscale, offset: doffset };
    },
  };
}

/**
 * Batch normalization over the shares of all ranks: y is what one process makes of the whole batch. Two small collectives a layer.
 *
 * Rank r goes back through the mean loss over its own n_r of the n samples; what it gives is weighted by n_r / n afterwards (see
 * across-ranks.ts). So ∂L/∂x on rank r, before that weight, is scale/σ · (g − Σ_q n_q G_q / (n n_r) − x̂ Σ_q n_q H_q / (n n_r)), with G_q
 * and H_q the sums of g and of g x̂ over rank q's share, and n counted in the numbers that a mean is over.
 */
function synchronizedNormalizations(precision: Precision, epsilon: number, ranks: ProcessGroup): Normalizations {
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
      const given = { x: narrow(dx), residual: residual && narrow(g), scale: own(scaled), offset: own(offset) };
      tf.dispose(made);
      return given;
    },
  };
}

/** Batch normalization on this device, or over all ranks where they were started so. Native runtime only. */
export function normalizations(precision: Precision, epsilon: number): Normalizations {
  needsNative('batch normalization');
  if (processGroup().synchronized) return synchronizedNormalizations(precision, epsilon, processGroup());
  return hasFused() ? fusedNormalizations(precision, epsilon) : composedNormalizations(precision, epsilon);
}
