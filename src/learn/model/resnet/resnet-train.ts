import { WeirError } from '../../../flow/errors.js';
import { tf } from '../../../tensorflow/device-tf.js';
import { normalizations } from '../../../tensorflow/ops/batch-norm-on-this-device.js';
import { attribute } from '../../../tensorflow/ops/device-eager.js';
import { cast, type Precision } from '../../../tensorflow/ops/native-precision.js';
import { convolutions } from '../../../tensorflow/ops/on-this-device.js';
import { lent, type Raw, run } from '../../../tensorflow/ops/raw.js';
import { type FeaturePullback, type Gradients, type Weights, weight } from '../model-model.js';
import { type Block, block, type Parts } from './block.js';
import type { Plan } from './resnet-plan.js';
import { maxPool } from './resnet-pool.js';
import { type Engine, type Unit, unit } from './unit.js';

/** Of a batch normalization: ε under the root and how much of a batch its running statistics take over, both PyTorch's. */
export const EPSILON = 1e-5;
export const MOMENTUM = 0.1;

/** What computes a network in training mode. */
export const engineOf = (precision: Precision): Engine => ({
  convolutions: convolutions(precision),
  normalizations: normalizations(precision, EPSILON),
});

/**
 * Forward through the feature map in training mode, with the way back by hand: what each layer's gradient needs is kept until then,
 * and given back as soon as it has been used.
 *
 * @param x float32 [n, height, width, channels]
 */
export function trainingPass(
  plan: Plan,
  weights: Weights,
  x: tf.Tensor4D,
  precision: Precision,
  engine: Engine,
): FeaturePullback {
  const input = cast(lent(x), 'float32', precision);
  const stem = unit(engine, weights, plan.stem, input, { rectify: true });
  const pool = maxPool(precision);
  const pooled = plan.pool && pool.forward(stem.y);
  const blocks: Block[] = [];
  for (const each of plan.blocks) blocks.push(block(engine, weights, each, blocks.at(-1)?.y ?? pooled?.[0] ?? stem.y));
  const last = blocks.at(-1)!.y;
  const features = tf.keep(meanOver(last, precision));
  const statistics = tf.tidy(() =>
    Object.fromEntries(movedStatistics([stem, ...blocks.flatMap(({ units }) => units)], weights)),
  );

  const gradients = (featuresGradient: tf.Tensor2D): Gradients => {
    const found = new Map<string, Raw>();
    const shape = last.shape as [number, number, number, number];
    let parts: Parts = [spreadOver(shape, precision, featuresGradient), undefined];
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

/** The running statistics after this batch: (1 − m) · old + m · batch, with the unbiased variance, as PyTorch keeps them. */
function movedStatistics(units: readonly Unit[], weights: Weights): [string, tf.Tensor][] {
  return units.flatMap(({ conv, mean, variance, count }): [string, tf.Tensor][] => {
    if (count < 2) {
      throw new WeirError(
        `'${conv.name}' normalizes over a single value per channel`,
        'train on batches of two samples or more, or on larger images',
      );
    }
    const moved = (name: string, batch: Raw, factor: number): [string, tf.Tensor] => {
      const value = run('Identity', [attribute.type('T', 'float32')], [batch])[0].toTensor();
      return [name, tf.add(tf.mul(weight(weights, name), 1 - MOMENTUM), tf.mul(value, MOMENTUM * factor))];
    };
    return [moved(conv.norm.mean, mean, 1), moved(conv.norm.variance, variance, count / (count - 1))];
  });
}

function sumOf([dy, other]: Parts, precision: Precision): Raw {
  if (other === undefined) return dy;
  const [sum] = run('AddV2', [attribute.type('T', precision)], [dy, other]);
  for (const raw of [dy, other]) raw.dispose();
  return sum;
}
