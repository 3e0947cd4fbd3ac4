import { Observable } from 'rxjs';
import { WeirError } from './errors.js';
import { Flow } from './flow.js';
import type { Input } from './input.js';
import type { Positioned } from './item.js';
import { demand, path } from './node.js';
import { everything, type Share } from './share.js';

export interface Source<T extends Positioned> {
  readonly name: string;
  /** Samples that may be outside at once; by default three times what the hungriest stage downstream waits for. */
  readonly capacity?: number | undefined;
  /** The data that it hands out, where that comes from outside. */
  readonly inputs?: readonly Input[];
  /** All items after `position`, in order; where a run has several ranks, this one's share of each. */
  from(position: number, share: Share): Iterable<T>;
}

const slice = 8; // milliseconds of emission after which the event loop breathes
const promptly = 5; // milliseconds without an arrival after which samples count as dropped
const patience = 1000; // the same where an operator may hold items for a while
const droughts = 64; // capacities that may go without a trace before it is an error

/**
 * A source that hands out items only against room downstream.
 *
 * Bound: `capacity` samples between here and the far end, whatever the speeds. Order: that of `from`.
 * State: the position, which the flow keeps. Alone, outside of a flow, it emits all it has as soon as it is subscribed to.
 *
 * An operator on the way may drop samples. They count as outside until a later one arrives, or until nothing has arrived
 * for a while: then they are written off, at first `capacity` of them.
 */
export function source<T extends Positioned>(value: Source<T>): Observable<T> {
  return new Observable<T>((subscriber) => {
    const flow = Flow.current;
    const node = Flow.join(value.name, 'source');
    node.limit = value.capacity ?? 0;
    node.inputs = value.inputs ?? [];
    if (flow === undefined) {
      for (const item of value.from(0, everything)) {
        if (subscriber.closed) return;
        subscriber.next(item);
      }
      subscriber.complete();
      return;
    }

    let items: Iterator<T>;
    let upcoming: IteratorResult<T> | undefined;
    let allowance = 0;
    let writtenOff = 0;
    let emitting = false;
    let stride = 1;
    let timer: NodeJS.Timeout | undefined;

    const start = (): void => {
      items = value.from(node.left, flow.share)[Symbol.iterator]();
      upcoming = items.next();
      pump();
    };

    const pump = (): void => {
      if (emitting || upcoming === undefined || subscriber.closed || flow.stopping || flow.held) return;
      emitting = true;
      try {
        flow.push(emit);
      } catch (error) {
        subscriber.error(error);
      } finally {
        emitting = false;
      }
    };

    const emit = (): void => {
      const until = performance.now() + slice;
      for (let count = 1; !subscriber.closed; count++) {
        if (upcoming!.done) {
          upcoming = undefined;
          subscriber.complete();
          return;
        }
        const item: T = upcoming!.value;
        const samples = item.position - node.left;
        if (allowance < samples && !seekRoom(samples)) return;
        allowance -= samples;
        node.leave(item, item.position);
        upcoming = items.next(); // looked up first: whoever gets the last item can be told at once that it is the last
        subscriber.next(item);
        if (count % stride === 0 && performance.now() > until) {
          stride = count < 1000 ? 1 : 64; // the clock is looked at for every item where items are heavy
          setImmediate(afterBreath);
          return;
        }
      }
    };

    const afterBreath = (): void => {
      if (flow.paced) pump();
      else
        Promise.resolve()
          .then(() => flow.rest())
          .then(
            (goOn) => goOn && pump(),
            (error) => subscriber.error(error),
          );
    };

    /** An item goes out where it fits, or where nothing else is outside. */
    const seekRoom = (samples: number): boolean => {
      const { outside, room } = demand(node);
      allowance = outside === 0 ? Math.max(room, samples) : room;
      if (allowance >= samples) {
        writtenOff = 0;
        return true;
      }
      if (!flow.paced) flow.restSoon();
      allowance += writtenOff;
      if (allowance < samples) waitForArrivals();
      return allowance >= samples;
    };

    /**
     * Where nothing arrives for a while and nobody works, what is outside was dropped: it is written off, each time twice as
     * much. The while is short where every operator is known to hand on at once.
     */
    const waitForArrivals = (): void => {
      if (timer !== undefined) return;
      const after = path(node);
      const arrivals = (): number => after.reduce((sum, next) => sum + next.itemsIn, 0);
      const before = arrivals();
      const prompt = after.every((next) => next.itemsIn > 0 && !next.late);
      timer = setTimeout(
        () => {
          timer = undefined;
          if (subscriber.closed || upcoming === undefined) return;
          const working = after.some((next) => next.held > 0 && (next.works || next.needs === 0));
          if (arrivals() === before && !working) writtenOff = Math.max(node.limit, 2 * writtenOff);
          const silent = after.some((next) => next.itemsIn === 0);
          if (silent && writtenOff > droughts * node.limit) subscriber.error(drought());
          else pump();
        },
        prompt ? promptly : patience,
      );
    };

    const drought = (): WeirError => {
      const silent = path(node).find((next) => next.itemsIn === 0) ?? node;
      return new WeirError(
        `none of ${node.left} samples from '${value.name}' has come to '${silent.name}'`,
        'an operator before it drops or keeps everything: check its condition, or raise the capacity of the source',
      );
    };

    flow.onStart(start);
    flow.onRoom(pump);
    return () => clearTimeout(timer);
  });
}
