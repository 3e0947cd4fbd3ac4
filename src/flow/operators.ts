import { type MonoTypeOperatorFunction, Observable, type OperatorFunction } from 'rxjs';
import type { Positioned } from './data.js';
import type { Declaration } from './header.js';
import { leaseOf } from './lease.js';
import { checkOptions } from './options.js';
import { hand, stage } from './stage.js';
import { currentContext, join, subscribeFrom, withName } from './wiring.js';

/**
 * Lets the items pass for which `keep` is true, and reports by position those that it drops. However many they are, they hold up no
 * source, as they may with RxJS's filter.
 *
 *   items                1--2--3--4--|
 *   filter(even)         ---2-----4--|
 *
 * Bound: holds nothing. Order: kept. State: none, so `keep` must go by the item alone. Failure: an error of `keep` ends the stream.
 *
 * @example loader(train, { epochs: 3, seed }).pipe(filter((block) => block.epoch > 1), augment([unitScale()], { seed }), batch(64))
 */
export function filter<T extends Positioned>(
  keep: (item: T) => boolean,
  options: { readonly name?: string } = {},
): MonoTypeOperatorFunction<T> {
  checkOptions('filter', options, { name: 'optional' });
  return (source) =>
    new Observable<T>((subscriber) => {
      const { demand } = currentContext();
      const node = join(options.name ?? 'filter', 'stage');
      node.handsOn = true;
      return subscribeFrom(node, source, {
        next(item) {
          try {
            const again = demand.isAgain(leaseOf(item)); // of a restored update: the stage that follows says whether it had handled it
            if (!again && !node.arrive(item?.position)) return;
            if (!keep(item)) node.pass(item.position);
            else if (again) subscriber.next(item);
            else hand(node, subscriber, item, item.position);
            demand.itemDone();
          } catch (error) {
            subscriber.error(error);
          }
        },
        error: (error) => subscriber.error(error),
        complete: () => subscriber.complete(),
      });
    });
}

/**
 * Declares what the items of a stream are, where no stage makes them: they pass unchanged.
 *
 * Bound: holds nothing. Order: kept. State: none. Failure: none of its own.
 *
 * @example
 * const sizes = record({ name: 'size', role: 'measurement', fields: { size: quantity() } });
 * updates$.pipe(every({ epochs: 1 }), map((update) => ({ ...update, size: update.weights.size })), recorded(sizes));
 */
export function recorded<T extends Positioned>(
  record: Declaration,
  options: { readonly name?: string } = {},
): MonoTypeOperatorFunction<T> {
  const { name = record.name } = checkOptions('recorded', options, { name: 'optional' });
  return stage<T, T, null>({ name, record, anyOrder: true, start: () => null, next: (_, item) => [null, item] });
}

/**
 * The same operator under another name, for a graph that has two of a kind. Snapshots, taps and the drawn graph go by names.
 *
 * @example named('readout attack', tangentAttack(model, test, { samples: 100, seed }))
 */
export function named<In, Out>(name: string, operator: OperatorFunction<In, Out>): OperatorFunction<In, Out> {
  return (source) => {
    const stream = operator(source);
    return new Observable<Out>((subscriber) => withName(name, () => stream.subscribe(subscriber)));
  };
}
