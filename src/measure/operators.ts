import { lifted } from '../core/stage.js';
import { accuracy as accuracyStage } from './accuracy.js';
import { tangentAttack as tangentAttackStage } from './attack/tangent-attack.js';

/** `accuracy` of `accuracy.ts` as an operator. */
export const accuracy = lifted(accuracyStage);

/** `tangentAttack` of `attack/tangent-attack.ts` as an operator. */
export const tangentAttack = lifted(tangentAttackStage);
