import type { Box } from '../../data/dataset.js';
import { checkChoice, checkOptions } from '../../flow/options.js';
import type { StageOperator } from '../../flow/stage.js';
import type { Model } from '../../learn/model/model.js';
import type { LabeledSamples } from '../inputs.js';
import { type AttackedUpdate, type AttackOptions, type AttackState, attackOptionKeys, attackStage } from './attack.js';
import { type BoundaryWalk, boundaryWalk, type WalkState } from './boundary-walk.js';
import { perturbationScale, schedule, shrinkingStep } from './hemisphere.js';
import { type AttackResult, attackRecord } from './record.js';
import type { Protocol } from './start.js';

export interface TangentAttackOptions extends AttackOptions {
  /** T. */
  readonly iterations?: number;
  /** Forward evaluations that may be spent on one sample. Noise takes half of them at most, the choice among starts a tenth. */
  readonly budget?: number;
  readonly protocol?: Protocol;
  /** `ddn` starts from the point that DDN finds in `DDN_STEPS` steps, by gradients, in the place of the protocol's search for starts. */
  readonly start?: 'ddn';
  /** Draws in one forward pass, for models whose first layer is not dense. */
  readonly chunk?: number;
}

/** The authors' box for images that are normalized: wider than any pixel can go, so their adversarial points may be no images. */
const AUTHORS: Box = { min: -3, max: 3 };

/**
 * Tangent Attack, hemisphere variant, untargeted, ℓ2 (Ma et al. 2021; paper, appendix D): for the first samples that each
 * update's network classifies correctly, an adversarial point nearby, and its distance. It asks for classes only, never for a gradient.
 *
 * Schedule and constants are those of the authors' code (`schedule`). The start is ours (`start.ts`), for on it hangs in which of
 * many local minima the attack ends: noise until it is found, the nearest images of the evaluation set that are predicted otherwise,
 * and of these up to three starts that are pursued for the first eighth of the iterations. `protocol: 'authors'` takes theirs: the
 * first of 5000 noisy points, else another attacked sample; and their box. Each result says the kind of its start. Further differences
 * from the authors' code: the draws for the normals are shared by all samples; the 1e-8 rule holds for each sample by itself; every
 * point is verified. The order of the samples, each one's noise and the draws for the normals are keyed by the seed and the sample's
 * own index or the iteration: so the result of a sample does not depend on which others are attacked (but for the authors' start).
 *
 * `start: 'ddn'` makes a white-box attack of it: each result says the start `ddn`, its queries count, and a sample that DDN does not flip is
 * `never-flipped`. The attack walks on from there by classes alone, and may end further away than it began.
 *
 * Bound, order, state, failure: those of `attackStage`; the engine breathes after each iteration, or each chunk of a model whose first
 * layer is not dense. The state is a few hundred kB.
 *
 * @example updates$.pipe(atEnd(), tangentAttack(model, test, { samples: 1000, seed }))
 */
export function tangentAttack(
  model: Model,
  samples: LabeledSamples,
  options: TangentAttackOptions,
): StageOperator<AttackedUpdate, AttackResult, AttackState<WalkState>> {
  checkOptions('tangentAttack', options, {
    iterations: 'optional',
    protocol: 'optional',
    start: 'optional',
    chunk: 'optional',
    ...attackOptionKeys,
  });
  const { iterations = schedule.iterations, protocol = 'paper', start, normalize } = options;
  if (start !== undefined) checkChoice("stage 'tangent attack'", 'start', start, ['ddn']);
  const box = protocol === 'authors' && normalize ? { box: AUTHORS } : {};
  const record = attackRecord('Tangent Attack', start === 'ddn' ? 'white-box' : 'black-box');
  return attackStage('tangent attack', record, model, samples, { ...box, ...options }, (setting) =>
    boundaryWalk('tangent attack', setting, { ...options, iterations }, TANGENT),
  );
}

/** Schedule and step of the Tangent Attack. */
const TANGENT: BoundaryWalk = {
  draws: schedule.evaluations,
  scale: perturbationScale,
  step(group, normals, i, wanted) {
    shrinkingStep(group, normals, i, wanted);
    group.toBoundary(group.running((slot) => wanted[slot] === 1)); // less those that ended in the step
  },
  starts: schedule.starts,
  heats: schedule.heats,
};
