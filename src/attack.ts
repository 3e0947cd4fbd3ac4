/// <reference types="node" preserve="true" />

/**
 * Attacks by themselves, as `weir-engine/attack`: ours, and what an attack of the user's own is built from. `attackStage` owns bounds,
 * criterion, budget, groups, resumption and verification; an `AttackMethod` is the search and nothing else.
 *
 * @module
 */

export type { Box } from './data/dataset.js';
export {
  type AttackedUpdate,
  type AttackMethod,
  type AttackOptions,
  type AttackSetting,
  type AttackState,
  attackOptionKeys,
  attackStage,
  type BoundsOptions,
} from './measure/attack/attack.js';
export { type Limits, usualBox } from './measure/attack/box.js';
export { type DeepFoolOptions, deepFool } from './measure/attack/deepfool.js';
export type { SampleGroup } from './measure/attack/group.js';
export { type AttackOutcome, type AttackResult, attackOutcomes, attackRecord } from './measure/attack/record.js';
export { type TangentAttackOptions, tangentAttack } from './measure/attack/tangent-attack.js';
export { type LabeledSamples, type Normalization, writeInput } from './measure/inputs.js';
