import type { Box } from '../../data/dataset.js';
import type { Positioned } from '../../flow/data.js';
import { array, category, key, quantity, type RecordDescription, record, z } from '../../storage/record.js';
import { type CertificateMethod, certificateMethods } from '../certificate/record.js';

/** What an attack is told of the network: its gradients too, or the classes that it gives and nothing else. */
export type AttackKind = (typeof attackKinds)[number];

export const attackKinds = ['black-box', 'white-box'] as const;

/** What an attack started from; `none` where there was nothing to start from. Only `ddn` takes gradients. */
export type StartKind = (typeof startKinds)[number];

/** The samples whose images a run keeps: all, in a recording beside its log; or the first 12, in its log. */
export type KeptImages = 'all' | 'first';

export const startKinds = ['none', 'noise', 'image', 'ddn'] as const;

/** ‖x_t − x‖₂ of the adversarial point that an attack has after so many queries, a value for each of its steps. */
export interface QueryCurve {
  readonly queries: readonly number[];
  readonly distance: readonly number[];
}

/**
 * How the attack on one sample ended.
 *
 * - `found`: an adversarial point after all iterations, verified.
 * - `already-misclassified`: the model does not give the sample its label; nothing was searched.
 * - `never-flipped`: no point was found that the model classifies differently (a constant classifier, for one).
 * - `not-a-number`: the model gave a logit that is NaN, for the sample or at a point that was evaluated; or a gradient there is not finite.
 * - `out-of-queries`: the budget ended the search; the best point so far is there if the start had been found.
 * - `unstable`: asked again in the end, the model took its answer back (it is not a function of its input).
 */
export type AttackOutcome = (typeof attackOutcomes)[number];

export const attackOutcomes = [
  'found',
  'already-misclassified',
  'never-flipped',
  'not-a-number',
  'out-of-queries',
  'unstable',
] as const;

/**
 * The record of an attacked sample, under the name of its attack.
 *
 * @param kind of the attack, which each result says too @param images whether those of all samples are kept, or the first
 */
export const attackRecord = (name: string, kind: AttackKind = 'black-box', images: KeptImages = 'all') => ({
  kind,
  ...record({
    name,
    role: 'attack',
    total: 'total',
    fields: {
      index: key(z.int()),
      label: key(z.int()),
      predicted: key(z.int()),
      adversarialLabel: key(z.int()),
      outcome: category(attackOutcomes),
      distance: quantity({ label: 'adversarial distance', unit: 'input units', better: 'higher', headline: true }),
      pixelDistance: quantity({ label: 'adversarial distance, pixel units', unit: 'pixel units' }).optional(),
      queries: z.int(),
      curve: key(z.object({ queries: z.array(z.int()), distance: z.array(z.number()) })).optional(),
      total: z.int(),
      iterations: z.int(),
      epsilon: key(z.number()).optional(),
      box: key(z.looseObject({})).optional(),
      standardized: key(z.boolean()).optional(),
      choose: key(z.enum(['all'])).optional(),
      start: category(startKinds).optional(),
      original: array(images === 'all' ? { kept: 'all' } : {}),
      adversarial: array(images === 'all' ? { kept: 'all' } : {}),
      lower: quantity({ label: 'lower bound', unit: 'input units', better: 'higher' }).optional(),
      method: category(certificateMethods).optional(),
      local: quantity({ label: 'local bound', unit: 'input units', better: 'higher' }).optional(),
      theta: quantity({ label: 'θ', better: 'higher' }).optional(),
      featureNorm: quantity({ label: '‖Φ(x)‖' }).optional(),
      readout: category(['refitted']).optional(),
      kind: key(z.enum(attackKinds)).optional(),
    },
  }),
});

/** The result of an attack on one sample. Plain data, in the input units of the model. */
export interface AttackResult extends Positioned {
  /** Updates of the weights that were attacked. */
  readonly number: number;
  readonly epoch: number;
  /** Which sample of the data set. */
  readonly index: number;
  readonly label: number;
  /** Class that the model gives the sample; −1 where its logits are NaN. */
  readonly predicted: number;
  /** Class of the adversarial point; −1 without one. */
  readonly adversarialLabel: number;
  readonly outcome: AttackOutcome;
  /** Δx = ‖adversarial − original‖₂ in input units; NaN without an adversarial point. */
  readonly distance: number;
  /** The length of the same perturbation in units of pixels from 0 to 1: √Σ (std_i δ_i)². Set where the stage normalizes its samples. */
  readonly pixelDistance?: number;
  /** Forward evaluations made for this sample, verification included. */
  readonly queries: number;
  /** How far the search had come after how many queries; the last pair is the result's own. Empty without a point. */
  readonly curve: QueryCurve;
  /** How many samples this attack takes: those asked for, or fewer where there are no more. */
  readonly total: number;
  /** T: iterations that the attack may take. */
  readonly iterations: number;
  /** ε of an attack that looks for points within it alone: it does not say how near the nearest one is. */
  readonly epsilon?: number;
  /** The values that an input may take, by channel where these differ. */
  readonly box: Box;
  /** Set where the samples were standardized: the distance is in deviations of each feature. */
  readonly standardized?: true;
  /** Set where the first samples were taken, whatever the network says of them. */
  readonly choose?: 'all';
  /** Set where the attacked network has a readout that was fitted anew after its training. */
  readonly readout?: 'refitted';
  readonly kind: AttackKind;
  /** The start of the point that was kept, of attacks that choose among several. */
  readonly start?: StartKind;
  readonly original: Float32Array;
  /** Of length 0 where none was found. */
  readonly adversarial: Float32Array;
  /** A rigorous lower bound on Δx in ℓ2, where the attack was asked for a `certificate`; so with the next four. */
  readonly lower?: number;
  /** The method that gave it, the best of those that were run. */
  readonly method?: CertificateMethod;
  /** Lemma 1's bound, estimated from slopes of the feature map met within Δx of the sample. */
  readonly local?: number;
  /** θ_x against the wrong class with the smallest bound. */
  readonly theta?: number;
  /** ‖Φ(x)‖₂ */
  readonly featureNorm?: number;
}

/** The fields without which a report cannot take a record for that of an attack on the network. */
const attackFields = ['index', 'label', 'predicted', 'outcome', 'distance', 'queries'];

/** Those of them that a stream of role 'attack' does not declare. */
export const missingInAttack = ({ fields }: RecordDescription): string[] =>
  attackFields.filter((name) => !Object.hasOwn(fields, name));

/** Whether a stream holds every field of an attack's record that a report needs. */
export const isAttack = (description: RecordDescription): boolean =>
  description.role === 'attack' && missingInAttack(description).length === 0;
