import type { ByNorm } from '../../learn/model/model.js';
import { category, key, quantities, quantity, record, z } from '../../storage/record.js';
import { type LogLine, numberIn } from '../log.js';

/**
 * - `certified`: the bounds hold for this sample.
 * - `already-misclassified`: the model does not give the sample its label; the bounds are 0.
 * - `one-class`: there is no wrong class, so nothing changes it; the bounds are infinite.
 * - `not-a-number`: a logit of the sample is NaN; so are the bounds.
 */
export type CertificateOutcome = (typeof certificateOutcomes)[number];

const certificateOutcomes = ['certified', 'already-misclassified', 'one-class', 'not-a-number'] as const;

/**
 * The method of a rigorous bound in ℓ2: Lemma 1 with a Lipschitz constant, CROWN's linear relaxation, or the semidefinite relaxation of the
 * first hidden layer; `none` where the outcome alone gives it.
 */
export type CertificateMethod = (typeof certificateMethods)[number];

export const certificateMethods = ['none', 'lipschitz', 'crown', 'sdp'] as const;

/** Bounds on the distance from one sample to the nearest input of another class, in input units. */
export interface SampleBounds {
  readonly outcome: CertificateOutcome;
  /** Class that the model gives the sample; −1 where its logits are NaN. */
  readonly predicted: number;
  /** The wrong class with the smallest margin in feature space, which θ and the margin are of; −1 without one. */
  readonly rival: number;
  /** θ_x = w·Φ(x) / (‖w‖₂ ‖Φ(x)‖₂), w = W_c − W_k (paper, lemma 1); NaN without a rival. */
  readonly theta: number;
  /** ‖Φ(x)‖₂ */
  readonly featureNorm: number;
  /** (w·Φ(x) + b_c − b_k) / ‖w‖₂: how far Φ(x) is from the boundary, in feature space. NaN without a rival. */
  readonly marginOverReadoutNorm: number;
  /** L of the feature map in ℓ2, over all inputs, from the norms of its layers. */
  readonly lipschitz: number;
  /** Lemma 1's rigorous bound in ℓ2, with that L. */
  readonly lemma1: number;
  /** The method that gave `lower` in ℓ2, the best of those that were run; in the other norms it is Lemma 1. */
  readonly method: CertificateMethod;
  /** Where no relaxation of the model is known, the reason: which of its layers. */
  readonly fallback?: string;
  /** The rigorous bound: no smaller perturbation, in ℓp, changes the class. */
  readonly lower: ByNorm<number>;
  /** The bound with the largest ‖∇Φ‖ found nearby: an estimate, which may lie above the distance. NaN in norms that were not asked for. */
  readonly local: ByNorm<number>;
}

/** The certificate of one sample of the network of one update. Plain data. */
export interface Certificate extends SampleBounds {
  readonly number: number;
  readonly epoch: number;
  /** Which sample of the data set. */
  readonly index: number;
  readonly label: number;
}

/** The record of a certificate, of at most so many samples. */
export const certificateRecord = (total: number) =>
  record({
    name: 'certificate',
    role: 'certificate',
    total,
    fields: {
      index: key(z.int()),
      label: key(z.int()),
      outcome: category(certificateOutcomes),
      predicted: key(z.int()),
      rival: key(z.int()),
      theta: quantity({ label: 'θ', better: 'higher' }),
      featureNorm: quantity({ label: '‖Φ(x)‖' }),
      marginOverReadoutNorm: quantity({ label: 'margin in feature space', better: 'higher' }),
      lipschitz: quantity({ label: 'Lipschitz constant', scale: 'log', better: 'lower' }),
      lemma1: quantity({ label: "Lemma 1's bound", unit: 'input units', better: 'higher' }),
      method: category(certificateMethods),
      fallback: key(z.string()).optional(),
      lower: quantities({ label: 'lower bound', unit: 'input units', better: 'higher', headline: 'l2' }),
      local: quantities({ label: 'local estimate', unit: 'input units', better: 'higher' }),
    },
  });

/** A certificate as the log has it. */
export const certificateIn = (line: LogLine): Certificate => ({
  number: Number(line.number),
  epoch: Number(line.epoch),
  index: Number(line.index),
  label: Number(line.label),
  outcome: line.outcome as CertificateOutcome,
  predicted: Number(line.predicted),
  rival: Number(line.rival),
  theta: Number(line.theta),
  featureNorm: Number(line.featureNorm),
  marginOverReadoutNorm: Number(line.marginOverReadoutNorm),
  lipschitz: Number(line.lipschitz),
  lemma1: numberIn(line, 'lemma1') ?? Number.NaN,
  method: (line.method ?? 'lipschitz') as CertificateMethod, // the only one of earlier versions
  ...(typeof line.fallback === 'string' && { fallback: line.fallback }),
  lower: boundsIn(line.lower as LogLine | null),
  local: boundsIn(line.local as LogLine | null),
});

const boundsIn = (line: LogLine | null): ByNorm<number> => {
  const of = (norm: string): number => (line && numberIn(line, norm)) ?? Number.NaN;
  return { l1: of('l1'), l2: of('l2'), linf: of('linf') };
};
