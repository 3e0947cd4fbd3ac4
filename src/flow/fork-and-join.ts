import { type MonoTypeOperatorFunction, Observable, Subject, Subscription } from 'rxjs';
import type { Positioned } from './data.js';
import { WeirError } from './errors.js';
import type { Node } from './node.js';
import { addEdge, currentContext, join, subscribeFrom } from './wiring.js';

/**
 * Hands every item to all branches: the stream is made once, however many listen.
 *
 * Bound: the slowest branch holds back the source, so no branch has more outside than the source's capacity. Order: kept.
 * State: none. Failure: an error goes to all branches. All branches must be wired before the flow starts.
 *
 * @example const shared$ = batches$.pipe(fanOut('batches')); // then shared$.pipe(…) twice
 */
export function fanOut<T extends Positioned>(name: string): MonoTypeOperatorFunction<T> {
  return (source) => {
    const items = new Subject<T>();
    let node: Node | undefined;
    let connection: { unsubscribe(): void } | undefined;
    return new Observable<T>((subscriber) => {
      const listening = items.subscribe(subscriber);
      if (node === undefined) {
        const joined = join(name, 'stage');
        joined.handsOn = true;
        node = joined;
        connection = subscribeFrom(joined, source, {
          next(item) {
            try {
              if (!joined.arrive(item.position)) return;
            } catch (error) {
              return items.error(error);
            }
            joined.leave(item, item.position);
            items.next(item);
          },
          error: (error) => items.error(error),
          complete: () => items.complete(),
        });
      } else addEdge(node);
      return () => {
        listening.unsubscribe();
        if (!items.observed) connection?.unsubscribe();
      };
    });
  };
}

/** An item of a merged stream, with the number of its input and its position in the merged order. */
export interface Merged<T> extends Positioned {
  readonly input: number;
  readonly item: T;
}

/** The state after an item has gone out: its merged position, inputs visited so far, and the position up to which each has been taken. */
type Mark = { readonly position: number; readonly visited: number; readonly taken: readonly number[] };

const severalAtOnce = (name: string, position: number): WeirError =>
  new WeirError(
    `mergeInTurn '${name}' was handed two items of position ${position}: after a resume it could not tell how many of them it had taken`,
    'make several items of one behind the merge, or join them to one before it',
  );

/**
 * Merges streams in turn, one item of each, so that the order never depends on their speeds. An input that completes is left
 * out from then on. (RxJS's `merge` goes by arrival and is not repeatable.)
 *
 *   a        a--b--------c|
 *   b        ----xy|
 *   inTurn   a---xb-y----c|      a, x, b, y, c whatever the times
 *
 * Bound: the capacity of each input's source. State: the position up to which each input has been taken.
 * Failure: the first error ends the stream.
 *
 * @example mergeInTurn('both', batches$, samples$).pipe(map(({ position, item }) => ({ ...item, position })))
 */
export function mergeInTurn<T extends Positioned>(name: string, ...inputs: Observable<T>[]): Observable<Merged<T>> {
  return new Observable((subscriber) => {
    const context = currentContext();
    const out = join(name, 'stage');
    const queues = inputs.map(() => [] as { readonly item: T; readonly held: number }[]);
    const open = inputs.map(() => true);
    const subscription = new Subscription();
    let marks: Mark[] = [{ position: 0, visited: 0, taken: inputs.map(() => 0) }];

    /** The mark at a merged position; older ones are not asked for again. */
    const mark = (position: number): Mark => {
      while (marks.length > 1 && marks[1]!.position <= position) marks.shift();
      return marks[0]!;
    };
    out.state = {
      save: mark,
      load(data) {
        marks = [data as Mark];
      },
    };

    /** Emits while the next input has an item, and skips the inputs that are complete. */
    const advance = (): void => {
      let { position, visited, taken } = marks.at(-1)!;
      while (!subscriber.closed) {
        if (!open.some((isOpen, i) => isOpen || queues[i]!.length > 0)) {
          subscriber.complete();
          return;
        }
        const input = visited % inputs.length;
        const next = queues[input]!.shift();
        if (next === undefined && open[input]) return;
        visited++;
        if (next === undefined) continue;
        const { item, held } = next;
        const samples = item.position - taken[input]!;
        position += samples;
        taken = taken.with(input, item.position);
        marks.push({ position, visited, taken });
        const lane = lanes[input]!;
        lane.held -= held;
        lane.leave(item, item.position);
        const merged = { position, input, item };
        out.arrive(position);
        out.leave(merged, position);
        if (marks.length % 256 === 0) mark(context.committed(out));
        subscriber.next(merged);
        context.demand.itemDone();
      }
    };

    const lanes = inputs.map((stream, i) => {
      const lane = join(`${name}/${i}`, 'stage', out);
      lane.translate = (position) => mark(position).taken[i]!;
      subscription.add(
        subscribeFrom(lane, stream, {
          next(item) {
            try {
              const before = lane.entered;
              if (!lane.arrive(item.position)) return;
              if (item.position === before && lane.itemsIn > 1) throw severalAtOnce(name, item.position);
              const held = item.position - before; // less than since the last item, where a filter has reported samples that it dropped
              lane.held += held;
              queues[i]!.push({ item, held });
              advance();
            } catch (error) {
              subscriber.error(error);
            }
          },
          error: (error) => subscriber.error(error),
          complete() {
            open[i] = false;
            advance();
          },
        }),
      );
      return lane;
    });
    return subscription;
  });
}
