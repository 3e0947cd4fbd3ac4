import { checkCounts, checkNumbers, checkOptions } from '../../flow/options.js';

/** The epoch and number of an update. */
export interface UpdateIndex {
  /** Counted from 1. */
  readonly epoch: number;
  /** Updates so far, this one included: 1 at the first. */
  readonly number: number;
}

/** A quantity as a function of the update, such as a learning rate. `warmUp`: the updates until it is whole, where it has some. */
export type Schedule = ((at: UpdateIndex) => number) & { readonly warmUp?: number };

/**
 * The same at every update.
 *
 * @throws {WeirError} unless it is a finite number from 0 on
 * @example sgd({ rate: warmUp(100, constant(0.1)) })
 */
export function constant(value: number): Schedule {
  checkNumbers('constant', { value });
  return () => value;
}

/** A quantity that is given as a number or as a schedule, as a schedule. @throws {WeirError} for a number as `constant` does */
export const scheduled = (value: number | Schedule): Schedule =>
  typeof value === 'function' ? value : constant(value);

/**
 * `value` · `factor` ^ ⌊epochs done / `every`⌋, `every` in epochs.
 *
 * @throws {WeirError} unless `every` is a count and the others are finite numbers from 0 on
 * @example sgd({ rate: step(0.1, { every: 60, factor: 0.2 }), momentum: 0.9 })
 */
export function step(value: number, options: { readonly every: number; readonly factor?: number }): Schedule {
  const { every, factor = 0.1 } = checkOptions('step', options, { every: 'required', factor: 'optional' });
  checkNumbers('step', { value, factor });
  checkCounts('step', { every });
  return ({ epoch }) => value * factor ** Math.floor((epoch - 1) / every);
}

/**
 * From `value` to `floor` along half a cosine over `epochs`: floor + (value − floor) · ½(1 + cos(π · epochs done / epochs)). Behind them it
 * stays at `floor`, where PyTorch's CosineAnnealingLR rises again.
 *
 * @throws {WeirError} unless `epochs` is a count and the others are finite numbers from 0 on
 * @example sgd({ rate: cosine(0.1, { epochs: 200 }), momentum: 0.9 })
 */
export function cosine(value: number, options: { readonly epochs: number; readonly floor?: number }): Schedule {
  const { epochs, floor = 0 } = checkOptions('cosine', options, { epochs: 'required', floor: 'optional' });
  checkNumbers('cosine', { value, floor });
  checkCounts('cosine', { epochs });
  return ({ epoch }) =>
    floor + ((value - floor) * (1 + Math.cos((Math.PI * Math.min(epoch - 1, epochs)) / epochs))) / 2;
}

/**
 * A linear warm-up over the first updates, then another schedule: then(t) · min(1, t / `updates`) at update t.
 *
 * @param updates how many; 0 is no warm-up
 * It does not end with the training: one that is longer never comes to the whole rate, and a line at the start of the run says so.
 *
 * @throws {WeirError} for a number of updates that is not whole, and for a number as `constant` does
 * @example adamw({ rate: warmUp(500, cosine(1e-3, { epochs: 100 })) })
 */
export function warmUp(updates: number, then: number | Schedule): Schedule {
  checkNumbers('warmUp', { updates }, { whole: true });
  if (typeof then !== 'function') checkNumbers('warmUp', { then });
  const after = scheduled(then);
  const rate = (at: UpdateIndex): number => after(at) * (at.number < updates ? at.number / updates : 1);
  return Object.assign(rate, { warmUp: updates });
}
