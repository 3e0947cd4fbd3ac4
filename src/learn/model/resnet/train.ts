import {
  type Affine,
  EPSILON,
  movedRunning,
  type NormalizationEpilogue,
  type Normalizations,
  type Normalized,
  normalizations,
} from '../../../tensorflow/ops/batch-norm.js';
import { type Convolutions, convolutions } from '../../../tensorflow/ops/convolution.js';
import { attribute, cast, lent, type Precision, type Raw, run } from '../../../tensorflow/ops/eager.js';
import { tf } from '../../../tensorflow/tf.js';
import { type FeaturePullback, type Gradients, type Weights, weight } from '../model.js';
import { type BlockPlan, type ConvPlan, maxPool, type ResnetPlan, subsampling } from './plan.js';

/** The convolutions and normalizations of a network in training mode, on this device and in this precision. */
export interface Engine {
  readonly convolutions: Convolutions;
  readonly normalizations: Normalizations;
}

/** The gradients of a unit's backward pass; new tensors. */
export interface UnitBack {
  /** With respect to the unit's input; undefined where it was not asked for. */
  readonly x: Raw | undefined;
  /** With respect to the residual, where there was one. */
  readonly residual: Raw | undefined;
}

/** A convolution and the batch normalization behind it, after their forward pass. */
export interface UnitPass {
  readonly conv: ConvPlan;
  /** The output. It belongs to the unit until `back`. */
  readonly y: Raw;
  /** Mean and biased variance of the batch, by channel. */
  readonly mean: Raw;
  readonly variance: Raw;
  /** The number of values that each mean is taken over. */
  readonly count: number;
  /**
   * Call it once: it disposes of the intermediate results, y included, and puts the unit's own gradients into `found`.
   *
   * @param dy the gradient with respect to y, in two parts with `other`; it takes both
   */
  back(dy: Raw, other: Raw | undefined, found: Map<string, Raw>, wantsInput: boolean): UnitBack;
}

/** The forward pass of one unit. x belongs to the caller, who keeps it until the backward pass is done. */
function unitPass(engine: Engine, weights: Weights, conv: ConvPlan, x: Raw, after: NormalizationEpilogue): UnitPass {
  const kernel = lent(weight(weights, conv.kernel));
  const affine: Affine = {
    scale: lent(weight(weights, conv.norm.scale)),
    offset: lent(weight(weights, conv.norm.offset)),
  };
  const { convolutions, normalizations } = engine;
  const packed = convolutions.packed(kernel, conv, x.shape[0]);
  const z = convolutions.convolve(x, packed, conv);
  packed.dispose();
  const normalized: Normalized = normalizations.forward(z, affine, after);

  return {
    conv,
    ...normalized,
    back(dy, other, found, wantsInput) {
      const to = normalizations.back(dy, other, z, normalized, affine, after);
      for (const raw of [dy, other, z, normalized.y, normalized.mean, normalized.variance]) raw?.dispose();
      found.set(conv.norm.scale, to.scale);
      found.set(conv.norm.offset, to.offset);
      found.set(conv.kernel, convolutions.filter(x, to.x, conv));
      const dx = wantsInput ? convolutions.back(to.x, kernel, conv, x.shape[0]!) : undefined;
      to.x.dispose();
      return { x: dx, residual: to.residual };
    },
  };
}

/** A gradient in up to two parts that are still to be added: the branch's and the shortcut's. */
export type GradientParts = readonly [dy: Raw, other: Raw | undefined];

/** A residual block after its forward pass. */
export interface BlockPass {
  /** The output; it belongs to the block until `back`. */
  readonly y: Raw;
  readonly units: readonly UnitPass[];
  /** Takes the gradient with respect to y; gives that with respect to x. Call it once. */
  back(gradient: GradientParts, found: Map<string, Raw>): GradientParts;
}

/** The forward pass of one block. x belongs to the caller, who keeps it until the backward pass is done. */
function blockPass(engine: Engine, weights: Weights, { branch, shortcut }: BlockPlan, x: Raw): BlockPass {
  const { convolutions } = engine;
  const units: UnitPass[] = [];
  const aside =
    shortcut.kind === 'projection' ? unitPass(engine, weights, shortcut.conv, x, { rectify: false }) : undefined;
  let residual = aside?.y ?? x;
  let subsampled: Raw | undefined;
  if (shortcut.kind === 'subsample') {
    const packed = convolutions.packed(subsampling(shortcut.geometry), shortcut.geometry);
    subsampled = convolutions.convolve(x, packed, shortcut.geometry);
    packed.dispose();
    residual = subsampled;
  }
  branch.forEach((conv, i) => {
    const after = i < branch.length - 1 ? { rectify: true } : ({ rectify: true, residual } as const);
    units.push(unitPass(engine, weights, conv, units[i - 1]?.y ?? x, after));
  });
  const last = units[units.length - 1]!;

  return {
    y: last.y,
    units: aside ? [...units, aside] : units,
    back([dy, other], found) {
      let { x: dx, residual: through } = last.back(dy, other, found, true);
      for (const each of units.slice(0, -1).reverse()) dx = each.back(dx!, undefined, found, true).x;
      subsampled?.dispose();
      if (aside) {
        through = aside.back(through!, undefined, found, true).x;
      } else if (shortcut.kind === 'subsample') {
        const full = convolutions.back(through!, subsampling(shortcut.geometry), shortcut.geometry);
        through!.dispose();
        through = full;
      }
      return [dx!, through];
    },
  };
}

/** The engine of a network in training mode. */
export const engineOf = (precision: Precision): Engine => ({
  convolutions: convolutions(precision),
  normalizations: normalizations(precision, EPSILON),
});

/**
 * The forward pass of the feature map in training mode, with its backward pass by hand. Intermediate results are kept for the
 * backward pass, and disposed of as soon as they have been used.
 *
 * @param x float32 [n, height, width, channels]
 */
export function trainingPass(
  plan: ResnetPlan,
  weights: Weights,
  x: tf.Tensor4D,
  precision: Precision,
  engine: Engine,
): FeaturePullback {
  const input = cast(lent(x), 'float32', precision);
  const stem = unitPass(engine, weights, plan.stem, input, { rectify: true });
  const pool = maxPool(precision);
  const pooled = plan.pool && pool.forward(stem.y);
  const blocks: BlockPass[] = [];
  for (const each of plan.blocks)
    blocks.push(blockPass(engine, weights, each, blocks.at(-1)?.y ?? pooled?.[0] ?? stem.y));
  const last = blocks.at(-1)!.y;
  const features = tf.keep(meanOver(last, precision));
  const statistics = tf.tidy(() =>
    Object.fromEntries(movedStatistics([stem, ...blocks.flatMap(({ units }) => units)], weights)),
  );

  const gradients = (featuresGradient: tf.Tensor2D): Gradients => {
    const found = new Map<string, Raw>();
    const shape = last.shape as [number, number, number, number];
    let parts: GradientParts = [spreadOver(shape, precision, featuresGradient), undefined];
    for (const each of [...blocks].reverse()) parts = each.back(parts, found);
    if (pooled) {
      const [y, padded] = pooled;
      const dy = sumOf(parts, precision);
      parts = [pool.back(padded, y, dy), undefined];
      for (const raw of [y, padded, dy]) raw.dispose();
    }
    stem.back(...parts, found, false);
    input.dispose();
    features.dispose();
    const named = new Map<string, tf.Tensor>();
    for (const name of weights.keys()) {
      const raw = found.get(name);
      if (raw) named.set(name, raw.toTensor());
    }
    return named;
  };
  return { features, statistics: new Map(Object.entries(statistics)), gradients };
}

/** The mean over height and width, [n, channels]. */
export function meanOver(maps: Raw, precision: Precision): tf.Tensor2D {
  const float = cast(maps, precision, 'float32').toTensor<tf.Tensor4D>();
  const mean = tf.mean(float, [1, 2]) as tf.Tensor2D;
  float.dispose();
  return mean;
}

/** The gradient with respect to the maps before the mean: that of the features, the same at every position. */
function spreadOver(
  shape: readonly [n: number, height: number, width: number, channels: number],
  precision: Precision,
  dFeatures: tf.Tensor2D,
): Raw {
  const [n, height, width, channels] = shape;
  const spread = tf.tidy(() => {
    const each = tf.div(dFeatures, height * width);
    return tf.tile(tf.reshape(each, [n, 1, 1, channels]), [1, height, width, 1]);
  });
  const raw = cast(lent(spread), 'float32', precision);
  spread.dispose();
  return raw;
}

/** The running statistics after this batch, by name. */
function movedStatistics(units: readonly UnitPass[], weights: Weights): [string, tf.Tensor][] {
  const tensorOf = (raw: Raw): tf.Tensor => run('Identity', [attribute.type('T', 'float32')], [raw])[0].toTensor();
  return units.flatMap(({ conv: { name, norm }, mean, variance, count }): [string, tf.Tensor][] => {
    const batch = { mean: tensorOf(mean), variance: tensorOf(variance) };
    const running = { mean: weight(weights, norm.mean), variance: weight(weights, norm.variance) };
    const moved = movedRunning(name, count, batch, running);
    return [
      [norm.mean, moved.mean],
      [norm.variance, moved.variance],
    ];
  });
}

function sumOf([dy, other]: GradientParts, precision: Precision): Raw {
  if (other === undefined) return dy;
  const [sum] = run('AddV2', [attribute.type('T', precision)], [dy, other]);
  for (const raw of [dy, other]) raw.dispose();
  return sum;
}
