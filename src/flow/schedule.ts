import { defer, filter, type MonoTypeOperatorFunction, Observable } from 'rxjs';
import type { Positioned } from './data.js';
import { StaleClaim, WeirError } from './errors.js';
import type { TrainingLength } from './header.js';
import { leaseOf, type WithLease } from './lease.js';
import { checkOptions, oneOf } from './options.js';
import { currentContext } from './wiring.js';

/** An item that counts the training: updates and epochs done, its own included; 0 is the initial state. */
export interface Counted extends Positioned {
  readonly number: number;
  readonly epoch: number;
  readonly endsEpoch: boolean;
}

/** A point of the training: the end of an epoch (epoch 0: the start), or an update. */
export type Since =
  | { readonly epoch: number; readonly update?: undefined }
  | { readonly update: number; readonly epoch?: undefined };

export type Cadence = (
  | { readonly updates: number; readonly epochs?: undefined }
  | { readonly epochs: number; readonly updates?: undefined }
) & { readonly from?: Since };

/** Checks that a point is either an epoch or an update. @returns it */
function checkPoint(where: string, since: Since): Since {
  const point: { readonly epoch?: number | undefined; readonly update?: number | undefined } = since;
  checkOptions(where, point, { epoch: 'optional', update: 'optional' });
  oneOf(where, point, ['epoch', 'update'], '{ epoch: 160 }');
  return since;
}

const reached = (item: Counted, since: Since): boolean =>
  since.update !== undefined
    ? item.number >= since.update
    : item.epoch > since.epoch || (item.epoch === since.epoch && item.endsEpoch);

/**
 * Lets every k-th update pass, or the last update of every k-th epoch; with `from`, only from then on.
 *
 *   updates               0--1--2--3--4--|
 *   every({updates: 2})   0-----2-----4--|
 *
 * Bound: holds nothing. State: none. @throws {WeirError} at once when k is not a whole number from 1 on, and for both updates and epochs.
 *
 * @example updates$.pipe(every({ epochs: 5, from: { epoch: 100 } }), accuracy(model, test))
 */
export function every<T extends Counted>(cadence: Cadence): MonoTypeOperatorFunction<T> {
  checkOptions<Partial<Record<'updates' | 'epochs', number>> & Pick<Cadence, 'from'>>('every', cadence, {
    updates: 'optional',
    epochs: 'optional',
    from: 'optional',
  });
  const unit = oneOf('every', cadence, ['updates', 'epochs'], '{ epochs: 5 }');
  const count = cadence[unit]!;
  if (!Number.isInteger(count) || count < 1) {
    throw new WeirError(`every({ ${unit}: ${count} }) is no cadence`, `${unit} must be a whole number from 1 on`);
  }
  const from = checkPoint('from of every', cadence.from ?? { update: 0 });
  const picked = picking<T>((item) => {
    if (!reached(item, from)) return false;
    return unit === 'updates' ? item.number % count === 0 : item.endsEpoch && item.epoch % count === 0;
  });
  return picked(`every(${shown(cadence)})`, (training) => {
    const length = training[unit];
    if (length === undefined) return false;
    const last = length - (length % count); // 0: the initial weights, which are no update
    return (
      last === 0 || isBeyond(from, unit === 'epochs' ? { epochs: last } : { updates: last }) || isBeyond(from, training)
    );
  });
}

/** A cadence or point as it was given. */
const shown = (value: object): string =>
  JSON.stringify(value)
    .replace(/"(\w+)":/g, ' $1: ')
    .replace(/,(?= )/g, ',')
    .replaceAll('}', ' }');

/** Whether the training ends before it comes to that point. */
const isBeyond = (point: Since, { epochs, updates }: Partial<TrainingLength>): boolean =>
  point.update !== undefined
    ? updates !== undefined && point.update > updates
    : epochs !== undefined && point.epoch > epochs;

/** RxJS's `filter` for updates, which says when the graph is wired that none of a training of that length will pass. */
const picking =
  <T>(passes: (item: T) => boolean) =>
  (name: string, isIdle: (training: TrainingLength) => boolean): MonoTypeOperatorFunction<T> =>
  (source) =>
    defer(() => {
      currentContext().remark((training) => {
        if (training === undefined || !isIdle(training)) return [];
        const { epochs, updates } = training;
        const end = `the training ends with epoch ${epochs}${updates === undefined ? '' : `, update ${updates}`}`;
        return [`${name} lets no update pass: ${end}`];
      });
      return source.pipe(filter(passes));
    });

/**
 * Lets all updates pass from a point on: `from({ epoch: 160 })` begins with the last update of epoch 160.
 *
 * @example updates$.pipe(from({ epoch: 160 }), every({ updates: 10 }), layerNorms(model))
 */
export function from<T extends Counted>(since: Since): MonoTypeOperatorFunction<T> {
  checkPoint('from', since);
  return picking<T>((item) => reached(item, since))(`from(${shown(since)})`, (training) => isBeyond(since, training));
}

/**
 * Lets one update pass: the last of the given epoch, or the given one.
 *
 * @example updates$.pipe(at({ epoch: 160 }), accuracy(model, test))
 */
export function at<T extends Counted>(point: Since): MonoTypeOperatorFunction<T> {
  checkPoint('at', point);
  return picking<T>((item) =>
    point.update !== undefined ? item.number === point.update : item.endsEpoch && item.epoch === point.epoch,
  )(`at(${shown(point)})`, (training) => isBeyond(point, training));
}

/**
 * Lets the last item pass, as soon as it proves to be the last and while its weights still stand.
 *
 * Unlike with RxJS's `last`, the stages that follow may claim the weights. Put it next to the updates: behind an operator that delays
 * them, or that drops the last one, there is no last item whose weights stand, and that is an error.
 * Bound: holds one item. State: none.
 *
 * @example updates$.pipe(atEnd(), tangentAttack(model, test, { samples: 1000, seed }))
 */
export function atEnd<T extends Positioned & WithLease>(): MonoTypeOperatorFunction<T> {
  return (source) =>
    new Observable<T>((subscriber) => {
      const { demand } = currentContext();
      const give = (item: T): void => demand.push(() => subscriber.next(item), leaseOf(item)?.again);
      let newest: T | undefined;
      let given = false;
      return source.subscribe({
        next(item) {
          newest = item;
          leaseOf(item)?.onLast(() => {
            given = true;
            give(item);
          });
        },
        error: (error) => subscriber.error(error),
        complete() {
          if (given || newest === undefined) return subscriber.complete();
          const lease = leaseOf(newest);
          if (lease !== undefined && !lease.open) return subscriber.error(new StaleClaim('atEnd', newest.position));
          give(newest);
          subscriber.complete();
        },
      });
    });
}
