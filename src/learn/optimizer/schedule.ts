import { WeirError } from '../../flow/errors.js';
import { checkOptions } from '../../flow/options.js';

/** The epoch and number of an update. */
export interface UpdateIndex {
  /** Counted from 1. */
  readonly epoch: number;
  /** Updates so far, this one included: 1 at the first. */
  readonly number: number;
}

/** A quantity as a function of the update, such as a learning rate. */
export type Schedule = (at: UpdateIndex) => number;

/** The same at every update. */
export const constant =
  (value: number): Schedule =>
  () =>
    value;

/** A quantity that is given as a number or as a schedule, as a schedule. */
export const scheduled = (value: number | Schedule): Schedule => (typeof value === 'number' ? constant(value) : value);

/**
 * `value` · `factor` ^ ⌊epochs done / `every`⌋, `every` in epochs.
 *
 * @example sgd({ rate: step(0.1, { every: 60, factor: 0.2 }), momentum: 0.9 })
 */
export function step(value: number, options: { readonly every: number; readonly factor?: number }): Schedule {
  const { every, factor = 0.1 } = checkOptions('step', options, { every: 'required', factor: 'optional' });
  return ({ epoch }) => value * factor ** Math.floor((epoch - 1) / every);
}

/**
 * From `value` down to `floor` along half a cosine over `epochs`: floor + (value − floor) · ½(1 + cos(π · epochs done / epochs)).
 *
 * @example sgd({ rate: cosine(0.1, { epochs: 200 }), momentum: 0.9 })
 */
export function cosine(value: number, options: { readonly epochs: number; readonly floor?: number }): Schedule {
  const { epochs, floor = 0 } = checkOptions('cosine', options, { epochs: 'required', floor: 'optional' });
  return ({ epoch }) => floor + ((value - floor) * (1 + Math.cos((Math.PI * (epoch - 1)) / epochs))) / 2;
}

/**
 * A linear warm-up over the first updates, then another schedule: then(t) · min(1, t / `updates`) at update t.
 *
 * @param updates how many; 0 is no warm-up
 * @throws {WeirError} for a number of updates that is not a count
 * @example adamw({ rate: warmUp(500, cosine(1e-3, { epochs: 100 })) })
 */
export function warmUp(updates: number, then: number | Schedule): Schedule {
  if (!Number.isInteger(updates) || updates < 0) {
    throw new WeirError(`warmUp was given ${updates} updates`, 'give a whole number from 0 on');
  }
  const after = scheduled(then);
  return (at) => after(at) * (at.number < updates ? at.number / updates : 1);
}
