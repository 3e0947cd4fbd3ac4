import { samplesInput } from '../../data/fingerprint.js';
import type { Positioned } from '../../flow/data.js';
import { checkCounts, checkOptions } from '../../flow/options.js';
import { type StageOperator, type Step, stage } from '../../flow/stage.js';
import { type ByNorm, type Model, type Norm, norms, type Weights } from '../../learn/model/model.js';
import type { Update } from '../../learn/update.js';
import { tf } from '../../tensorflow/tf.js';
import { byName, inputLength, type LabeledSamples, type Normalization, writeInput } from '../inputs.js';
import { classes, correctOnes, LOOKED_AT, shuffled } from '../predictions.js';
import { lengthOf, localBound, marginsOf, quotient, readoutOf, type Sampling } from './bounds.js';
import { byNorm, lipschitz } from './lipschitz.js';
import { type Certificate, certificateRecord, type SampleBounds } from './record.js';

export interface CertifierOptions extends Partial<Sampling> {
  /** The norms in which the local estimate is made; each costs as much as the first. */
  readonly local?: readonly Norm[];
}

/** @param index of the sample: it keys the random points @param radius R in each norm; by default the largest that can matter */
export type Certifier = (x: Float32Array, label: number, index: number, radius?: ByNorm<number>) => SampleBounds;

/**
 * Lemma 1 as in (A.1), with biases, for p = 1, 2, ∞, minimized over the wrong classes k. A perturbation that changes the class of x is no
 * shorter than (w·Φ(x) + b_c − b_k) / (‖w‖_q L), w = W_c − W_k, 1/p + 1/q = 1.
 *
 * For `lower`, L is the constant of the whole feature map from its layers' norms (`lipschitz`). This bound is rigorous, and needs no ball,
 * for L holds everywhere. For `local`, L is the largest slope found in a ball (`localBound`): an estimate. In (A.1) the induced q-norm is
 * that of the transposed Jacobian, for in the proof ∇Φᵀ meets w; ‖∇Φᵀ‖_q = ‖∇Φ‖_p.
 *
 * Float32 is allowed for by 10⁻⁵ of L and 2·10⁻⁶ of the terms of the margin: ample in practice, and no interval arithmetic.
 *
 * @returns a function of the weights, which computes their constants once and returns the certifier of single samples
 * @throws {WeirError} for a model without parts or without a Jacobian
 */
export function certifier(
  stage: string,
  model: Model,
  { points = 32, steps = 20, seed = 0, local = norms }: CertifierOptions = {},
): (weights: Weights) => Certifier {
  checkCounts(`stage '${stage}'`, { points, steps });
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
        outcome,
        predicted,
        rival: nearest?.rival ?? -1,
        theta: nearest?.theta ?? Number.NaN,
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
    features: features.dataSync<'float32'>(),
    logits: logits.dataSync<'float32'>(),
    predicted: classes(logits)[0]!,
  };
  tf.dispose([x, features, logits]);
  return found;
}

export interface CertificateOptions extends CertifierOptions {
  /** How many samples, at most. */
  readonly samples: number;
  /** Of the order and of the random points. With that of a Tangent Attack, and its `shuffle` and `choose`, the samples are the same. */
  readonly seed: number;
  readonly shuffle?: boolean;
  /** `correct` passes over samples that the model gets wrong; `all` reports them with their outcome. */
  readonly choose?: 'correct' | 'all';
  /** R of the local estimate, in input units, for all norms or for each; by default the largest that can matter. */
  readonly radius?: number | ByNorm<number>;
  readonly normalize?: Normalization;
}

/** The state: samples of the order that were classified, samples done among the next group, and certificates given. */
export type CertificateState = { readonly scanned: number; readonly done: number; readonly given: number };

const REST: CertificateState = { scanned: 0, done: 0, given: 0 };

/**
 * Lemma 1's lower bounds on the adversarial distance (paper, (3) and (A.1)), sample by sample, on the weights of each update. One is
 * rigorous, from the layers' norms, and loose for deep networks. The other is an estimate from slopes found nearby (`certifier`).
 *
 * Bound: the points of one ball on the device; the engine breathes after each sample. Order: that of the attack. State:
 * `CertificateState`. Failure: samples that the model does not take, a model without parts or without a Jacobian; what happens
 * to a single sample is its outcome.
 *
 * @example updates$.pipe(atEnd(), certificate(model, test, { samples: 100, seed }))
 */
export function certificate(
  model: Model,
  given: LabeledSamples,
  options: CertificateOptions,
): StageOperator<Update, Certificate & Positioned, CertificateState> {
  checkOptions('certificate', options, {
    samples: 'required',
    seed: 'required',
    shuffle: 'optional',
    choose: 'optional',
    radius: 'optional',
    normalize: 'optional',
    local: 'optional',
    points: 'optional',
    steps: 'optional',
  });
  const { samples: wanted, seed, shuffle = true, choose = 'correct', radius, normalize } = options;
  const name = 'certificate';
  const samples = byName(name, model, given);
  const length = inputLength(name, model, samples);
  checkCounts(`stage '${name}'`, { samples: wanted });
  const certify = certifier(name, model, options);
  const R = typeof radius === 'number' ? byNorm(() => radius) : radius;

  return stage({
    name,
    record: certificateRecord(Math.min(wanted, samples.size)),
    claims: 'weights',
    inputs: [samplesInput(given)],
    introduce: samples.introduce,
    start: () => REST,
    *next(state, { position, number, epoch, weights }): Generator<Step<CertificateState, Certificate & Positioned>> {
      const order = shuffle ? shuffled(samples.size, seed) : Uint32Array.from({ length: samples.size }, (_, i) => i);
      const boundsOf = certify(weights);
      let { scanned, done, given } = state;
      while (scanned < samples.size && given < wanted) {
        const chosen =
          choose === 'all'
            ? order.subarray(scanned, scanned + LOOKED_AT)
            : correctOnes(model, weights, samples, order, scanned, normalize);
        while (done < chosen.length && given < wanted) {
          const index = chosen[done]!;
          const label = samples.labels[index]!;
          const x = new Float32Array(length);
          writeInput(samples, index, x, 0, normalize);
          const bounds = boundsOf(x, label, index, R);
          done++;
          given++;
          yield [
            { scanned, done, given },
            { position, number, epoch, index, label, ...bounds },
          ];
        }
        if (given === wanted) break;
        scanned += LOOKED_AT;
        done = 0;
        yield [{ scanned, done, given }];
      }
      yield [REST];
    },
  });
}
