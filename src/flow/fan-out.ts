import { type MonoTypeOperatorFunction, Observable, Subject } from 'rxjs';
import type { Node } from './core-node.js';
import { Flow } from './flow.js';
import type { Positioned } from './item.js';

/**
 * Hands every item to all branches: the stream is made once, however many listen.
 *
 * Bound: the slowest branch holds back the source, so no branch has more outside than the source's capacity. Order: kept.
 * State: none. Failure: an error goes to all branches. All branches must listen before the flow starts.
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
        const joined = Flow.join(name, 'stage');
        node = joined;
        connection = Flow.subscribe(joined, source, {
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
      } else Flow.edge(node);
      return () => {
        listening.unsubscribe();
        if (!items.observed) connection?.unsubscribe();
      };
    });
  };
}
