import type { Model, Weights } from '../../learn/model/model-model.js';
import { type ByNorm, type Norm, norms } from '../../learn/model/part.js';
import { tf } from '../../tensorflow/device-tf.js';
import { checkCount } from '../options.js';
import { classes } from '../oracle.js';
import { type Bounds, quotient } from './bounds.js';
import { byNorm, lipschitz } from './certificate-lipschitz.js';
import { lengthOf, marginsOf, readoutOf } from './certificate-margins.js';
import { localBound, type Sampling } from './local.js';

export interface CertifierOptions extends Partial<Sampling> {
  /** The norms in which the local estimate is made; each costs as much as the first. */
  readonly local?: readonly Norm[];
}

/** @param index of the sample: it keys what is drawn @param radius R in each norm; none means as far as it matters */
export type Certifier = (x: Float32Array, label: number, index: number, radius?: ByNorm<number>) => Bounds;

/**
 * Lemma 1 as in (A.1), with biases, for p = 1, 2, ∞, minimized over the wrong classes k: whatever changes the class of x is
 * no shorter than (w·Φ(x) + b_c − b_k) / (‖w‖_q L), w = W_c − W_k, 1/p + 1/q = 1.
 *
 * `lower` has for L the constant of the whole feature map from its layers' norms (`lipschitz`): rigorous, and as it holds everywhere no
 * ball is needed. `local` has the largest slope met in a ball (`localBound`): an estimate. In (A.1) the induced q-norm is that of the
 * transposed Jacobian, for in the proof ∇Φᵀ meets w; ‖∇Φᵀ‖_q = ‖∇Φ‖_p.
 *
 * Float32 is allowed for by 10⁻⁵ of L and 2·10⁻⁶ of the terms of the margin: ample in practice, and no interval arithmetic.
 *
 * @returns for given weights, whose constants are found then, what certifies one sample after another
 * @throws {WeirError} for a model without parts or without a Jacobian
 */
export function certifier(
  stage: string,
  model: Model,
  { points = 32, steps = 20, seed = 0, local = norms }: CertifierOptions = {},
): (weights: Weights) => Certifier {
  checkCount(stage, { points, steps });
  const nearby = local.length === 0 ? undefined : localBound(stage, model, { points, steps, seed });

  return (weights) => {
    const L = lipschitz(stage, model, weights);
    const readout = readoutOf(model, weights);
    return (x, label, index, radius) => {
      const { features, logits, predicted } = seen(model, weights, x);
      const margins = marginsOf(readout, features, logits, label);
      const safe = (norm: Norm): number =>
        Math.min(
          ...margins.map(({ margin, rounding, readoutNorm }) =>
            quotient(margin - rounding, readoutNorm[norm] * L[norm]),
          ),
        );
      const nearest = margins.reduce<(typeof margins)[number] | undefined>(
        (least, one) => (least === undefined || inFeatureSpace(one) < inFeatureSpace(least) ? one : least),
        undefined,
      );
      const outcome =
        predicted === -1
          ? 'not-a-number'
          : predicted !== label
            ? 'already-misclassified'
            : margins.length === 0
              ? 'one-class'
              : 'certified';
      const fixed = { 'not-a-number': Number.NaN, 'already-misclassified': 0, 'one-class': Number.POSITIVE_INFINITY };
      const estimate = (norm: Norm): number =>
        nearby === undefined || !local.includes(norm)
          ? Number.NaN
          : nearby(weights, x, margins, norm, index, radius?.[norm] ?? Number.POSITIVE_INFINITY);
      return {
        ...{ outcome, predicted, rival: nearest?.rival ?? -1, theta: nearest?.theta ?? Number.NaN },
        featureNorm: lengthOf(features),
        marginOverReadoutNorm: nearest === undefined ? Number.NaN : inFeatureSpace(nearest),
        lipschitz: L.l2,
        lower: byNorm((norm) => (outcome === 'certified' ? safe(norm) : fixed[outcome])),
        local: byNorm((norm) => (outcome === 'certified' ? estimate(norm) : fixed[outcome])),
      };
    };
  };
}

const inFeatureSpace = ({ margin, readoutNorm }: ReturnType<typeof marginsOf>[number]): number =>
  margin / readoutNorm.l2;

function seen(model: Model, weights: Weights, sample: Float32Array) {
  const x = tf.tensor(sample, [1, ...model.inputShape]);
  const [features, logits] = [model.features(weights, x), model.logits(weights, x)];
  const found = {
    ...{ features: features.dataSync<'float32'>(), logits: logits.dataSync<'float32'>() },
    predicted: classes(logits)[0]!,
  };
  tf.dispose([x, features, logits]);
  return found;
}
