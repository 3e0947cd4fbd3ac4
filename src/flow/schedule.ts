import { filter, type MonoTypeOperatorFunction, Observable } from 'rxjs';
import type { Positioned } from './data.js';
import { StaleClaim, WeirError } from './errors.js';
import { Flow } from './flow.js';
import { leaseOf, type WithLease } from './lease.js';

/** An item that knows when it is: how many updates and epochs were done, its own included; 0 is the initial state. */
export interface Counted extends Positioned {
  readonly number: number;
  readonly epoch: number;
  readonly endsEpoch: boolean;
}

/** A moment: from the end of an epoch on (epoch 0: from the start), or from an update on. */
export type Since = { readonly epoch: number } | { readonly update: number };

export type Cadence = ({ readonly updates: number } | { readonly epochs: number }) & { readonly from?: Since };

const begun = (item: Counted, since: Since): boolean =>
  'update' in since
    ? item.number >= since.update
    : item.epoch > since.epoch || (item.epoch === since.epoch && item.endsEpoch);

/**
 * Lets every k-th update pass, or the last update of every k-th epoch; with `from`, only from then on.
 *
 *   updates               0--1--2--3--4--|
 *   every({updates: 2})   0-----2-----4--|
 *
 * Bound: holds nothing. State: none. @throws {WeirError} at once when k is not a whole number from 1 on.
 */
export function every<T extends Counted>(cadence: Cadence): MonoTypeOperatorFunction<T> {
  const [unit, count] =
    'updates' in cadence ? (['updates', cadence.updates] as const) : (['epochs', cadence.epochs] as const);
  if (!Number.isInteger(count) || count < 1) {
    throw new WeirError(`every({ ${unit}: ${count} }) is no cadence`, `${unit} must be a whole number from 1 on`);
  }
  const from = cadence.from ?? { update: 0 };
  return filter((item) => {
    if (!begun(item, from)) return false;
    return unit === 'updates' ? item.number % count === 0 : item.endsEpoch && item.epoch % count === 0;
  });
}

/** Lets all pass from a moment on: `from({ epoch: 160 })` begins with the last update of epoch 160. */
export const from = <T extends Counted>(since: Since): MonoTypeOperatorFunction<T> =>
  filter((item) => begun(item, since));

/** Lets one update pass: the last of the given epoch, or the given one. */
export const at = <T extends Counted>(moment: Since): MonoTypeOperatorFunction<T> =>
  filter((item) =>
    'update' in moment ? item.number === moment.update : item.endsEpoch && item.epoch === moment.epoch,
  );

/**
 * Lets the last item pass, as soon as it proves to be the last and while its weights still stand.
 *
 * Unlike with RxJS's `last`, what follows may claim the weights. Put it next to the updates: behind an operator that delays
 * them, or that lets the last one not pass, there is no last item whose weights stand, and that is an error.
 * Bound: holds one item. State: none.
 */
export function atEnd<T extends Positioned & WithLease>(): MonoTypeOperatorFunction<T> {
  return (source) =>
    new Observable<T>((subscriber) => {
      const flow = Flow.current;
      const give = (item: T): void => {
        if (flow === undefined) subscriber.next(item);
        else flow.push(() => subscriber.next(item), leaseOf(item)?.again);
      };
      let kept: T | undefined;
      let given = false;
      return source.subscribe({
        next(item) {
          kept = item;
          leaseOf(item)?.onLast(() => {
            given = true;
            give(item);
          });
        },
        error: (error) => subscriber.error(error),
        complete() {
          if (given || kept === undefined) return subscriber.complete();
          const now = leaseOf(kept);
          if (now !== undefined && !now.open) return subscriber.error(new StaleClaim('atEnd', kept.position));
          give(kept);
          subscriber.complete();
        },
      });
    });
}
