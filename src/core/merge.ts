import { Observable, Subscription } from 'rxjs';
import { Flow } from './flow.js';
import type { Positioned } from './item.js';

/** An item of a merged stream: which input it came from, what it was, and its place in the merged order. */
export interface Merged<T> extends Positioned {
  readonly input: number;
  readonly item: T;
}

/**
 * Merges streams in turn, one item of each, so that the order never depends on their speeds; an input that completes is left
 * out from then on. (RxJS's `merge` goes by arrival and is not repeatable.)
 *
 *   a        a--b--------c|
 *   b        ----x-y|
 *   inTurn   a---x-b-y---c|      a, x, b, y, c whatever the times
 *
 * Bound: what the fast inputs' sources may have outside. State: none but the positions, which the flow keeps.
 * Failure: the first error ends the stream.
 */
export function mergeInTurn<T extends Positioned>(name: string, ...inputs: Observable<T>[]): Observable<Merged<T>> {
  return new Observable((subscriber) => {
    const out = Flow.join(name, 'stage');
    const queues = inputs.map(() => [] as T[]);
    const open = inputs.map(() => true);
    const subscription = new Subscription();
    let position = 0;
    let turn = 0;

    /** Emits while it is the turn of an input that has something, and skips those that are over. */
    const advance = (): void => {
      while (!subscriber.closed) {
        if (!open.some((isOpen, i) => isOpen || queues[i]!.length > 0)) {
          subscriber.complete();
          return;
        }
        const input = turn % inputs.length;
        const item = queues[input]!.shift();
        if (item === undefined && open[input]) return;
        turn++;
        if (item === undefined) continue;
        const lane = lanes[input]!;
        lane.held -= item.position - lane.left;
        lane.leave(item, item.position);
        position += item.position - marks[input]!.at(-1)!.own;
        marks[input]!.push({ merged: position, own: item.position });
        out.arrive(position);
        out.leave(item, position);
        subscriber.next({ position, input, item });
      }
    };

    /** For each input: which position of its own each merged position stands for. */
    const marks = inputs.map(() => [{ merged: 0, own: 0 }]);
    const lanes = inputs.map((stream, i) => {
      const lane = Flow.join(`${name}/${i}`, 'stage');
      lane.downstream.clear();
      lane.downstream.add(out);
      lane.translate = (merged) => {
        const known = marks[i]!;
        while (known.length > 1 && known[1]!.merged <= merged) known.shift();
        return known[0]!.own;
      };
      subscription.add(
        Flow.subscribe(lane, stream, {
          next(item) {
            lane.held += item.position - lane.entered;
            lane.arrive(item.position);
            queues[i]!.push(item);
            advance();
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
