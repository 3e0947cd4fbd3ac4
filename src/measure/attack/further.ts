import type { Observable } from 'rxjs';
import { checkOptions } from '../../flow/options.js';
import { atEnd } from '../../flow/schedule.js';
import type { Model } from '../../learn/model/model.js';
import type { LabeledSamples } from '../inputs.js';
import type { AttackedUpdate, AttackOptions } from './attack.js';
import { cgba } from './cgba.js';
import { ddn } from './ddn.js';
import { hopSkipJump } from './hop-skip-jump.js';
import type { AttackResult } from './record.js';

/** Black-box attacks besides the Tangent Attack, by the name that a config takes, and the stream of each. */
const black = {
  cgba: { stream: 'cgba$', make: cgba },
  'hop-skip-jump': { stream: 'hopSkipJump$', make: hopSkipJump },
} as const;

export type BlackBoxAttack = keyof typeof black;

export const blackBoxAttacks = Object.keys(black) as [BlackBoxAttack, ...BlackBoxAttack[]];

export interface FurtherAttackOptions extends Pick<AttackOptions, 'seed' | 'normalize'> {
  /** Samples of each black-box attack: as many as the first attack has. */
  readonly attacked: number;
  /** Samples of DDN; 0 for none. */
  readonly whitebox: number;
  readonly blackbox: readonly BlackBoxAttack[];
}

/**
 * The attacks that `furtherAttackKeys` of a config ask for, at the end of the training: streams by name, to be returned beside those of a
 * pipeline. Without any the result is empty. Each attack has the schedule of its paper, whatever T the first one has.
 *
 * @example
 * const further = furtherAttacks(updates$, model, test, { attacked: 1000, whitebox: 0, blackbox: ['cgba'], seed });
 * const streams = { updates$, ...further };
 */
export function furtherAttacks(
  updates$: Observable<AttackedUpdate>,
  model: Model,
  samples: LabeledSamples,
  options: FurtherAttackOptions,
): Record<string, Observable<AttackResult>> {
  const { attacked, whitebox, blackbox, seed, normalize } = checkOptions('furtherAttacks', options, {
    attacked: 'required',
    whitebox: 'required',
    blackbox: 'required',
    seed: 'required',
    normalize: 'optional',
  });
  const shared = { seed, ...(normalize && { normalize }) };
  return {
    ...(whitebox > 0 && { bounds$: updates$.pipe(atEnd(), ddn(model, samples, { samples: whitebox, ...shared })) }),
    ...Object.fromEntries(
      [...new Set(blackbox)].map((name) => {
        const { stream, make } = black[name];
        return [stream, updates$.pipe(atEnd(), make(model, samples, { samples: attacked, ...shared }))];
      }),
    ),
  };
}
