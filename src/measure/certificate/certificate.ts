import { samplesInput } from '../../data/fingerprint.js';
import type { Positioned } from '../../flow/data.js';
import { WeirError } from '../../flow/errors.js';
import { checkCounts, checkOptions } from '../../flow/options.js';
import { type StageOperator, type Step, stage } from '../../flow/stage.js';
import { type ByNorm, type Model, type Norm, norms, type Weights } from '../../learn/model/model.js';
import type { Update } from '../../learn/update.js';
import { tf } from '../../tensorflow/tf.js';
import { byName, inputLength, type LabeledSamples, type Normalization, writeInput } from '../inputs.js';
import { classes, correctOnes, LOOKED_AT, shuffled } from '../predictions.js';
import { lengthOf, localBound, marginsOf, quotient, readoutOf, type Sampling } from './bounds.js';
import { denseOf } from './crown.js';
import { byNorm, lipschitz } from './lipschitz.js';
import { type CertifiedRadii, certifiedRadii } from './radius.js';
import { type Certificate, type CertificateMethod, certificateRecord, type SampleBounds } from './record.js';

export interface CertifierOptions extends Partial<Sampling> {
  /** The norms in which the local estimate is made; each costs as much as the first. */
  readonly local?: readonly Norm[];
  /** Beside Lemma 1's, in ℓ2, for networks of dense layers: by default both. The second begins with the first. */
  readonly methods?: readonly RelaxationMethod[];
}

/** `crown`: linear relaxation. `sdp`: with multipliers of the first hidden layer's semidefinite relaxation (`certifiedRadii`). */
export type RelaxationMethod = Exclude<CertificateMethod, 'none' | 'lipschitz'>;

const relaxations: readonly RelaxationMethod[] = ['crown', 'sdp'];

/** @param index of the sample: it keys the random points @param radius R in each norm; none means as far as it matters */
export type Certifier = (x: Float32Array, label: number, index: number, radius?: ByNorm<number>) => SampleBounds;

/**
 * Bounds on the distance from a sample to the nearest input of another class.
 *
 * Lemma 1 as in (A.1), with biases, for p = 1, 2, ∞, minimized over the wrong classes k. A perturbation that changes the class of x is no
 * shorter than (w·Φ(x) + b_c − b_k) / (‖w‖_q L), w = W_c − W_k, 1/p + 1/q = 1.
 *
 * For `lower`, L is the constant of the whole feature map from its layers' norms (`lipschitz`). This bound is rigorous, and needs no ball,
 * for L holds everywhere. In ℓ2, `lower` is the best of it and, for dense layers with our activations, of the radii of `certifiedRadii`,
 * which hold for the network as float32 computes it. `method` names the best one; `fallback` says why a model has Lemma 1's alone.
 *
 * For `local`, L is the largest slope found in a ball (`localBound`): an estimate. In (A.1) the induced q-norm is that of the transposed
 * Jacobian, for in the proof ∇Φᵀ meets w; ‖∇Φᵀ‖_q = ‖∇Φ‖_p.
 *
 * In Lemma 1 float32 is allowed for by 10⁻⁵ of L and 2·10⁻⁶ of the terms of the margin: ample in practice, and no interval arithmetic.
 *
 * @returns a function of the weights, which computes their constants once and returns the certifier of single samples
 * @throws {WeirError} for a model without parts or without a Jacobian
 */
export function certifier(
  stage: string,
  model: Model,
  { points = 32, steps = 20, seed = 0, local = norms, methods = relaxations }: CertifierOptions = {},
): (weights: Weights) => Certifier {
  checkCounts(`stage '${stage}'`, { points, steps });
  checkMethods(stage, methods);
  const nearby = local.length === 0 ? undefined : localBound(stage, model, { points, steps, seed });

  return (weights) => {
    const L = lipschitz(stage, model, weights);
    const readout = readoutOf(model, weights);
    const dense = methods.length === 0 ? undefined : denseOf(model, weights);
    const network = dense !== undefined && 'layers' in dense ? dense : undefined;
    const fallback = dense !== undefined && 'unknown' in dense ? dense.unknown : undefined;
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
      const lemma1 = outcome === 'certified' ? safe('l2') : fixed[outcome];
      const best =
        network === undefined || outcome !== 'certified'
          ? ([lemma1, outcome === 'certified' ? 'lipschitz' : 'none'] as const)
          : bestOf(
              lemma1,
              certifiedRadii(
                network,
                x,
                label,
                margins.map(({ rival }) => rival),
                { sdp: methods.includes('sdp') },
              ),
            );
      return {
        outcome,
        predicted,
        rival: nearest?.rival ?? -1,
        theta: nearest?.theta ?? Number.NaN,
        featureNorm: lengthOf(features),
        marginOverReadoutNorm: nearest === undefined ? Number.NaN : inFeatureSpace(nearest),
        lipschitz: L.l2,
        lemma1,
        method: best[1],
        ...(fallback !== undefined && { fallback }),
        lower: byNorm((norm) => (norm === 'l2' ? best[0] : outcome === 'certified' ? safe(norm) : fixed[outcome])),
        local: byNorm((norm) => (outcome === 'certified' ? estimate(norm) : fixed[outcome])),
      };
    };
  };
}

/** The largest of the bounds in ℓ2, and its method; of equal ones that which costs less. */
function bestOf(lemma1: number, { crown, sdp = 0 }: CertifiedRadii): readonly [number, CertificateMethod] {
  if (sdp > Math.max(lemma1, crown)) return [sdp, 'sdp'];
  return crown > lemma1 ? [crown, 'crown'] : [lemma1, 'lipschitz'];
}

/** @throws {WeirError} for a method that is none */
function checkMethods(stage: string, methods: readonly RelaxationMethod[]): void {
  const wrong = methods.find((method) => !relaxations.includes(method));
  if (wrong === undefined) return;
  throw new WeirError(
    `stage '${stage}' was given the method ${JSON.stringify(wrong)}`,
    `name some of ${relaxations.join(', ')}, or none: []`,
  );
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
 * Lower bounds on the adversarial distance, sample by sample, on the weights of each update it is given: rigorous ones, by Lemma 1 (paper,
 * (3) and (A.1)), which is loose for deep networks, and for dense layers by relaxation; and an estimate from slopes met nearby
 * (`certifier`).
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
    methods: 'optional',
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
