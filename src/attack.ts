/// <reference types="node" preserve="true" />

/**
 * Attacks by themselves, as `weir-engine/attack`: ours, and what an attack of the user's own is built from. `attackStage` owns bounds,
 * criterion, budget, groups, resumption and verification; an `AttackMethod` is the search and nothing else. `attackTests` of
 * `weir-engine/testing` holds it to the rules of ours.
 *
 * A search sees a `SampleGroup`. Points are float32 rows of d values in the model's units, inside `AttackSetting.box`; tensors that a search
 * makes it gives back before it yields. A sample that cannot be attacked is an outcome (`group.end`), not an error.
 *
 * @example
 * const outwards = (model: Model, samples: LabeledSamples, options: AttackOptions) =>
 *   attackStage<{ readonly done: boolean }>('outwards', attackRecord('outwards'), model, samples, options, ({ box, group: size }) => ({
 *     start: () => ({ done: false }),
 *     fields: () => ({ iterations: 1 }),
 *     *search(group, { done }) {
 *       if (done) return;
 *       const wanted = group.running((slot) => group.afford(slot, 1 + HALVINGS));
 *       for (let slot = 0; slot < size; slot++) group.row(group.points, slot).set(box.upper); // one corner of the box
 *       const found = group.flips(group.points, wanted);
 *       for (let slot = 0; slot < size; slot++) {
 *         if (group.outcome[slot] === -1 && found[slot] === 0) group.end(slot, wanted[slot] ? 'never-flipped' : 'out-of-queries');
 *       }
 *       group.toBoundary(found);
 *       yield { done: true };
 *     },
 *   }));
 *
 * @module
 */

export type { Box } from './data/dataset.js';
export { checkCounts, checkOptions, type OptionKeys } from './flow/options.js';
export type { StageOperator } from './flow/stage.js';
export { type ApgdOptions, apgd } from './measure/attack/apgd.js';
export {
  type AttackedUpdate,
  type AttackMethod,
  type AttackOptions,
  type AttackSetting,
  type AttackState,
  attackOptionKeys,
  attackStage,
} from './measure/attack/attack.js';
export { type Limits, usualBox } from './measure/attack/box.js';
export { type CgbaOptions, cgba } from './measure/attack/cgba.js';
export { type DdnOptions, ddn } from './measure/attack/ddn.js';
export { type DeepFoolOptions, deepFool } from './measure/attack/deepfool.js';
export { type FmnOptions, fmn } from './measure/attack/fmn.js';
export { type GroupTask, HALVINGS, type SampleGroup } from './measure/attack/group.js';
export { type HopSkipJumpOptions, hopSkipJump } from './measure/attack/hop-skip-jump.js';
export {
  type AttackKind,
  type AttackOutcome,
  type AttackResult,
  attackOutcomes,
  attackRecord,
  type KeptImages,
} from './measure/attack/record.js';
export type { BoundsOptions } from './measure/attack/result-bounds.js';
export { type TangentAttackOptions, tangentAttack } from './measure/attack/tangent-attack.js';
export { type LabeledSamples, type Normalization, writeInput } from './measure/inputs.js';
