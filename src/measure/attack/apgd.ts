import { checkChoice, checkCounts, checkNumbers, checkOptions } from '../../flow/options.js';
import type { StageOperator } from '../../flow/stage.js';
import type { Model } from '../../learn/model/model.js';
import type { LabeledSamples } from '../inputs.js';
import { type ApgdState, ascent } from './ascent.js';
import { type AttackedUpdate, type AttackOptions, type AttackState, attackOptionKeys, attackStage } from './attack.js';
import { crossEntropyDirection } from './ddn.js';
import { GROUP } from './minimum-norm.js';
import { type AttackResult, attackRecord } from './record.js';

export interface ApgdOptions extends AttackOptions {
  /** ε: how far from the sample a point may be, ℓ2, in input units. */
  readonly epsilon: number;
  /** T: steps of each restart; 100 by default. */
  readonly steps?: number;
  /** `dlr` is the difference of logits ratio, which does not depend on their scale; it takes three classes. */
  readonly loss?: 'cross-entropy' | 'dlr';
  /** Random starts of a sample, one after another until one leads out of its class; 1 by default. */
  readonly restarts?: number;
}

/**
 * APGD, untargeted, ℓ2 (Croce & Hein 2020, algorithm 1): projected gradient ascent with momentum in the ball of radius ε. The step η is 2ε at
 * first. It is halved at a checkpoint where fewer than ¾ of the steps since the last one raised the loss (condition 1), or where neither η nor
 * the largest loss has changed since then (condition 2); the search then goes on from the point of the largest loss.
 *
 *   z = P(x_t + η ∇f/‖∇f‖),  x_{t+1} = P(x_t + α(z − x_t) + (1 − α)(x_t − x_{t−1})),  P into the ball, then into the box
 *
 * It says whether there is an adversarial point within ε. A sample ends at the first one, which is brought to the boundary, so its distance is
 * an upper bound of Δx of at most ε; without one it is `never-flipped`. White-box. Differences: losses are compared by the log-odds of the
 * cross-entropy, which rise with it and do not underflow; condition 1 counts from the start, where the authors' code looks before it.
 *
 * Queries, bound, order, state, failure: those of `ddn`; a confirmation is one query more.
 *
 * @example updates$.pipe(atEnd(), apgd(model, test, { samples: 1000, epsilon: 1.5, seed }))
 */
export function apgd(
  model: Model,
  samples: LabeledSamples,
  options: ApgdOptions,
): StageOperator<AttackedUpdate, AttackResult, AttackState<ApgdState>> {
  const own = { epsilon: 'required', steps: 'optional', loss: 'optional', restarts: 'optional' } as const;
  checkOptions('apgd', options, { ...own, ...attackOptionKeys });
  const { epsilon, steps = 100, loss = 'cross-entropy', restarts = 1, seed } = options;
  checkNumbers("stage 'apgd'", { epsilon }, { above: 0 });
  checkCounts("stage 'apgd'", { steps, restarts });
  checkChoice("stage 'apgd'", 'loss', loss, model.classes < 3 ? ['cross-entropy'] : ['cross-entropy', 'dlr']);
  const group = Math.min(options.samples, GROUP);
  const f = loss === 'dlr' ? logitsRatio : crossEntropyDirection;
  return attackStage('apgd', attackRecord('APGD', 'white-box'), model, samples, { group, ...options }, (setting) =>
    ascent(setting, f, { epsilon, steps, restarts, seed }),
  );
}

/** −(z_own − max of the others)/(z_π1 − z_π3), z_π1 ≥ z_π2 ≥ …, as a gradient and a value. */
function logitsRatio(logits: Float32Array, own: number, into: Float32Array): number {
  const order = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]!) as [number, number, number];
  const [first, second, third] = order;
  const rival = first === own ? second : first;
  const [lead, scale] = [logits[own]! - logits[rival]!, logits[first]! - logits[third]!];
  if (!(scale > 0)) return 0; // all the same, or no numbers: no gradient
  into[rival]! += 1 / scale;
  into[own]! -= 1 / scale;
  into[first]! += lead / scale ** 2;
  into[third]! -= lead / scale ** 2;
  return -lead / scale;
}
