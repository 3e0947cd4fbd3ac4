import type { Observable } from 'rxjs';
import { checkOptions } from '../../flow/options.js';
import type { Model } from '../../learn/model/model.js';
import type { LabeledSamples } from '../inputs.js';
import { apgd } from './apgd.js';
import type { AttackedUpdate, AttackOptions } from './attack.js';
import { cgba } from './cgba.js';
import { ddn } from './ddn.js';
import { hopSkipJump } from './hop-skip-jump.js';
import type { AttackResult } from './record.js';

/** Black-box attacks besides the Tangent Attack, by the name that a config takes, and the stream of each. */
const attacks = {
  cgba: { stream: 'cgba$', make: cgba },
  'hop-skip-jump': { stream: 'hopSkipJump$', make: hopSkipJump },
} as const;

export type BlackBoxAttack = keyof typeof attacks;

export const blackBoxNames = Object.keys(attacks) as [BlackBoxAttack, ...BlackBoxAttack[]];

export interface BlackBoxOptions extends Pick<AttackOptions, 'seed' | 'normalize' | 'choose' | 'certificate'> {
  /** Samples of each: as many as the Tangent Attack has. */
  readonly attacked: number;
  readonly blackbox: readonly BlackBoxAttack[];
}

/**
 * The attacks that the key of `blackBoxKeys` names: streams by name, to be returned beside those of a pipeline. Without any the result is empty.
 * Each attack has the schedule of its paper, whatever T the Tangent Attack has.
 *
 * @param updates$ whose networks are attacked: for those at the end of a training piped through `atEnd()`
 * @example
 * const more = blackBoxAttacks(updates$.pipe(atEnd()), model, test, { attacked: 1000, blackbox: ['cgba'], seed });
 * const streams = { updates$, ...more };
 */
export function blackBoxAttacks(
  updates$: Observable<AttackedUpdate>,
  model: Model,
  samples: LabeledSamples,
  options: BlackBoxOptions,
): Record<string, Observable<AttackResult>> {
  const { attacked, blackbox, seed, ...more } = checkOptions('blackBoxAttacks', options, {
    attacked: 'required',
    blackbox: 'required',
    seed: 'required',
    normalize: 'optional',
    choose: 'optional',
    certificate: 'optional',
  });
  const { normalize, choose, certificate } = more;
  const shared = {
    samples: attacked,
    seed,
    ...(normalize && { normalize }),
    ...(choose && { choose }),
    ...(certificate && { certificate }),
  };
  return Object.fromEntries(
    [...new Set(blackbox)].map((name) => {
      const { stream, make } = attacks[name];
      return [stream, updates$.pipe(make(model, samples, shared))];
    }),
  );
}

export interface WhiteBoxOptions extends Pick<AttackOptions, 'seed' | 'normalize' | 'choose'> {
  /** Samples, in the order of the Tangent Attack's; 0 for no attack. */
  readonly whitebox: number;
  /** Whether each has a proved lower bound too. */
  readonly bothSides: boolean;
  /** ε of APGD, in input units; without it, or at 0, there is none. */
  readonly apgd?: number | undefined;
  /** Samples of the Tangent Attack, which APGD takes too where they are more than those of `whitebox`. */
  readonly attacked?: number;
}

/**
 * The attacks by gradients that the keys of `whiteBoxKeys` ask for, streams to be returned beside those of a pipeline: `bounds$` by DDN where it
 * has samples, and `apgd$` where it has an ε. Otherwise the result is empty.
 *
 * @param updates$ whose networks are attacked: for those at the end of a training piped through `atEnd()`
 * @example
 * const more = whiteBoxAttacks(updates$.pipe(atEnd()), model, test, { whitebox: 1000, bothSides: true, seed });
 * const streams = { updates$, ...more };
 */
export function whiteBoxAttacks(
  updates$: Observable<AttackedUpdate>,
  model: Model,
  samples: LabeledSamples,
  options: WhiteBoxOptions,
): Record<string, Observable<AttackResult>> {
  const {
    whitebox,
    bothSides,
    apgd: epsilon,
    attacked,
    ...more
  } = checkOptions('whiteBoxAttacks', options, {
    whitebox: 'required',
    bothSides: 'required',
    apgd: 'optional',
    attacked: 'optional',
    seed: 'required',
    normalize: 'optional',
    choose: 'optional',
  });
  const { seed, normalize, choose } = more;
  const shared = { seed, ...(normalize && { normalize }), ...(choose && { choose }) };
  const certificate = bothSides && ('crown' as const);
  const within = { ...shared, samples: Math.max(whitebox, attacked ?? 0), epsilon: epsilon ?? 0 };
  return {
    ...(whitebox > 0 && { bounds$: updates$.pipe(ddn(model, samples, { ...shared, samples: whitebox, certificate })) }),
    ...(within.epsilon > 0 && { apgd$: updates$.pipe(apgd(model, samples, within)) }),
  };
}
