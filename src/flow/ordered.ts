import {
  AsyncSubject,
  concatAll,
  defer,
  EMPTY,
  finalize,
  map,
  Observable,
  type ObservableInput,
  type OperatorFunction,
  Subscription,
  throwIfEmpty,
} from 'rxjs';
import type { Positioned } from './data.js';
import { OverLimit } from './errors.js';
import type { Introduce } from './header.js';
import { hasSource } from './node.js';
import { currentContext, join, subscribeFrom } from './wiring.js';

/**
 * Works on several items at once and emits one result for each.
 *
 * Bound: at most `limit` inside, counted by `sizeOf` (by default each item counts 1), or one item that is larger. Items that an operator
 * before it lets go all at once wait until there is room, within the bound of the source. Order: that of the items. State: none.
 * Failure: the earliest failed item ends the stream. Unsubscribing cancels all work.
 *
 * @example images$.pipe(ordered('augment', 12, (image) => pool.run(image)))
 * @throws {OverLimit} when a source without demand hands it more than `limit`.
 */
export function ordered<A, B>(
  name: string,
  limit: number,
  work: (item: A) => ObservableInput<B>,
  sizeOf: (item: A) => number = () => 1,
  introduce?: Introduce,
): OperatorFunction<A, B> {
  return (source) =>
    new Observable<B>((subscriber) => {
      const { demand } = currentContext();
      const node = join(name, 'workers');
      node.limit = limit;
      node.introduce = introduce;
      const running = new Subscription();
      type Entry = { readonly item: A; readonly result: AsyncSubject<B>; readonly size: number };
      const waiting: Entry[] = [];
      let inside = 0; // the samples held that do not wait

      function hasCapacity(size: number): boolean {
        return inside === 0 || (waiting.length === 0 && inside + size <= limit);
      }
      function begin({ item, result, size }: Entry): void {
        inside += size;
        running.add(defer(() => work(item)).subscribe(result)); // what `work` throws is the item's error
      }
      const results = new Observable<A>((inner) => subscribeFrom(node, source, inner)).pipe(
        map((item) => {
          const size = sizeOf(item);
          const { position: own } = item as Partial<Positioned>;
          if (own === undefined) node.count(node.entered);
          else if (!node.arrive(own)) return EMPTY;
          const position = own ?? node.entered;
          const result = new AsyncSubject<B>(); // keeps an early result, or error, until those before it are handed on
          if (hasCapacity(size)) begin({ item, result, size });
          else if (hasSource(node)) waiting.push({ item, result, size });
          else throw new OverLimit(name, limit);
          node.held += size;
          return result.pipe(
            throwIfEmpty(),
            map((output) => ({ output, position, size })),
          );
        }),
        concatAll(),
        finalize(() => running.unsubscribe()),
      );
      return results.subscribe({
        next({ output, position, size }) {
          node.held -= size; // before handing on: the room may bring the next item at once
          inside -= size;
          while (waiting.length > 0 && (inside === 0 || inside + waiting[0]!.size <= limit)) begin(waiting.shift()!);
          node.leave(output, position);
          demand.push(() => subscriber.next(output));
          demand.creditReturned();
        },
        error: (error) => subscriber.error(error),
        complete: () => subscriber.complete(),
      });
    });
}
