import { checkNumbers, checkOptions } from '../../flow/options.js';
import type { StageOperator } from '../../flow/stage.js';
import type { Model } from '../../learn/model/model.js';
import type { LabeledSamples } from '../inputs.js';
import { type AttackedUpdate, type AttackOptions, type AttackState, attackOptionKeys, attackStage } from './attack.js';
import { GROUP, type MinimumNorm, type MinimumNormState, minimumNorm } from './minimum-norm.js';
import { type AttackResult, attackRecord } from './record.js';

export interface FmnOptions extends AttackOptions {
  /** T: steps of every sample. */
  readonly iterations?: number;
  /** γ_0: part by which the radius shrinks or grows at first; 0.001 in the end. */
  readonly gamma?: number;
}

const LAST_GAMMA = 0.001;
const LEAST = 1e-4; // box widths added to the estimate of the boundary's distance: on the boundary itself it is 0, and nothing would move

/**
 * FMN, "fast minimum norm", untargeted, ℓ2 (Pintor et al. 2021, algorithm 1): each step goes along the gradient of the nearest wrong logit
 * less the right one, then into a ball about the sample. Its radius is the boundary's distance of the network made linear until a point is
 * adversarial; from then on it shrinks by γ_t where one is, and else grows. White-box, as DDN.
 *
 * γ_t goes from γ to 0.001 as α_t does. Schedule, start and projection, min(1, ε/‖δ‖), are those of the authors' code, lengths in widths of
 * the box. (The projection of foolbox 3.3.4 leaves every δ as it is, that of adv-lib 0.2.8 always ends at ε.) Differences: the radius grows
 * by γ_t at least until a point is adversarial, and 10⁻⁴ box widths are added to the estimated distance. Else a sample whose steps the
 * box cuts short, or one on the boundary, comes to rest before it flips; so does every digit of MNIST, in adv-lib too. In the end the
 * segment to the sample is searched for the boundary.
 *
 * Queries, bound, order, state, failure, outcomes: those of `ddn`.
 *
 * @example updates$.pipe(atEnd(), fmn(model, test, { samples: 1000, seed }))
 */
export function fmn(
  model: Model,
  samples: LabeledSamples,
  options: FmnOptions,
): StageOperator<AttackedUpdate, AttackResult, AttackState<MinimumNormState>> {
  checkOptions('fmn', options, { iterations: 'optional', gamma: 'optional', ...attackOptionKeys });
  const { iterations = 100, gamma = 0.05, seed } = options;
  checkNumbers("stage 'fmn'", { gamma }, { above: 0, below: 1 });
  const group = Math.min(options.samples, GROUP);
  return attackStage('fmn', attackRecord('FMN', 'white-box'), model, samples, { group, ...options }, (setting) =>
    minimumNorm('fmn', setting, { seed, iterations }, fast(gamma)),
  );
}

/** Loss and radius of FMN. */
const fast = (first: number): MinimumNorm => ({
  loss: logitDifference,
  radius: ({ radius, norm, adversarial, nearest, boundary, cosine, width }) => {
    const gamma = LAST_GAMMA + (first - LAST_GAMMA) * cosine;
    if (adversarial) return Math.min((radius || Number.POSITIVE_INFINITY) * (1 - gamma), nearest);
    const grown = radius * (1 + gamma);
    return Number.isFinite(nearest) ? grown : Math.max(grown, norm + boundary + LEAST * width);
  },
  project: 'ball',
});

/** The largest wrong logit, of equal ones the first, less the right one. */
function logitDifference(logits: Float32Array, own: number, into: Float32Array): number {
  let rival = -1;
  for (let k = 0; k < logits.length; k++) {
    if (k !== own && (rival === -1 || logits[k]! > logits[rival]!)) rival = k;
  }
  into[own] = -1;
  into[rival] = 1;
  return logits[rival]! - logits[own]!;
}
