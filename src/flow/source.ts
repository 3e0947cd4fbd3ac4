import { Observable } from 'rxjs';
import { after, now, soon } from '../surroundings/surroundings.js';
import type { Positioned } from './data.js';
import { credit } from './demand.js';
import type { Header, Input } from './header.js';
import { edgeText, type Node, path } from './node.js';
import { currentContext, join } from './wiring.js';

export interface Source<T extends Positioned> {
  readonly name: string;
  /**
   * Samples that may be outside at once; by default three times the need of the hungriest stage downstream. Twice as many where an
   * operator of RxJS keeps or drops all of them.
   */
  readonly capacity?: number | undefined;
  /** The data sets that it hands out. */
  readonly inputs?: readonly Input[];
  /** The header of its items, such as the names of their classes. */
  header?(): Header;
  /** All items after `position`, in order. */
  from(position: number): Iterable<T>;
}

const slice = 8; // milliseconds of emission after which the event loop breathes
const light = 0.1; // milliseconds between two readings of the clock, below which it is read half as often
const promptly = 5; // milliseconds without an arrival after which samples may count as dropped; then twice as long
const patience = 1000; // the same where an operator may hold items for a while
const silence = 5000; // milliseconds without an arrival after which the last item is written off, and the user notified
const spare = 1; // capacities that may go out besides where nothing arrives

/**
 * A source that hands out items only against room downstream.
 *
 * Bound: `capacity` samples between here and the far end (or one item that is larger), whatever the speeds. Order: that of `from`.
 * State: the position, which its node keeps. Alone, outside of a flow, it emits all its items as soon as it is subscribed to.
 *
 * An operator of RxJS on the way may drop samples. They count as outside until a later one arrives. Where nothing arrives for a while
 * some are written off: one capacity of them at most, for the operator may as well keep them. So in all twice the capacity may be
 * outside, and no more until something arrives; the flow tells the user on which way it waits. To drop without limit there is
 * our `filter`, which reports the positions that it drops.
 *
 * @example
 * const numbers$ = source({
 *   name: 'numbers',
 *   capacity: 100,
 *   *from(position) {
 *     for (let n = position + 1; n <= 1000; n++) yield { position: n, square: n * n };
 *   },
 * });
 */
export function source<T extends Positioned>(value: Source<T>): Observable<T> {
  return new Observable<T>((subscriber) => {
    const context = currentContext();
    const { demand, barrier } = context;
    const node = join(value.name, 'source');
    node.limit = value.capacity ?? 0;
    node.inputs = value.inputs ?? [];
    node.introduce = () => (value.header === undefined ? [] : [value.header()]);
    if (context.alone) {
      for (const item of value.from(0)) {
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
    let drought: { readonly since: number; readonly arrivals: number; notified: boolean } | undefined;
    let pause = 0;
    let notices = 0;
    let emitting = false;
    let stride = 1;
    let takeBack: (() => void) | undefined;

    const start = (): void => {
      items = value.from(node.left)[Symbol.iterator]();
      upcoming = items.next();
      pump();
    };

    const pump = (): void => {
      if (emitting || upcoming === undefined || subscriber.closed || barrier.stopping || barrier.held) return;
      emitting = true;
      try {
        demand.push(emit);
      } catch (error) {
        subscriber.error(error);
      } finally {
        emitting = false;
      }
    };

    const emit = (): void => {
      const begun = now();
      let read = begun;
      for (let count = 1; !subscriber.closed; count++) {
        if (upcoming!.done) {
          upcoming = undefined;
          subscriber.complete();
          return;
        }
        const item: T = upcoming!.value;
        const samples = item.position - node.left;
        if (allowance < samples && !hasCredit(samples)) return;
        allowance -= samples;
        node.leave(item, item.position);
        upcoming = items.next(); // looked up first: so the node that gets the last item can learn at once that it is the last
        subscriber.next(item);
        if (count % stride !== 0) continue;
        const time = now(); // of heavy items after every one
        stride = time - read < light ? Math.min(64, 2 * stride) : 1;
        read = time;
        if (time - begun > slice) {
          soon(afterBreath);
          return;
        }
      }
    };

    const afterBreath = (): void => {
      if (barrier.paced) pump();
      else
        Promise.resolve()
          .then(() => barrier.reach())
          .then(
            (goOn) => goOn && pump(),
            (error) => subscriber.error(error),
          );
    };

    /** An item goes out where it fits, or where nothing else is outside. */
    const hasCredit = (samples: number): boolean => {
      const { outside, available } = credit(node);
      allowance = outside === 0 ? Math.max(available, samples) : available;
      if (allowance < samples) {
        barrier.reachSoon();
        if (writtenOff > 0) allowance += writtenOff + Math.max(0, samples - node.limit);
        if (allowance < samples) waitForArrivals(samples);
      } else writtenOff = 0;
      return allowance >= samples;
    };

    /**
     * Where nothing arrives for a while and no node works, the samples outside were dropped, or an operator keeps them. The while is short
     * where every operator is known to hand on at once.
     */
    const waitForArrivals = (samples: number): void => {
      if (takeBack !== undefined) return;
      const ahead = path(node);
      if (drought?.arrivals !== arrivalsAt(ahead) || isWorking(ahead)) {
        drought = { since: now(), arrivals: arrivalsAt(ahead), notified: false };
        pause = ahead.every((next) => next.itemsIn > 0 && !next.late) ? promptly : patience;
        writtenOff = 0;
      } else pause = Math.min(silence, 2 * pause);
      const rest = spare * Math.max(node.limit, samples) - writtenOff;
      const last = rest < 2 * samples;
      takeBack = after(rest > 0 && last ? silence : pause, () => {
        takeBack = undefined;
        if (subscriber.closed || upcoming === undefined) return;
        if (drought?.arrivals === arrivalsAt(ahead) && !isWorking(ahead)) writeOff(ahead, last ? rest : rest / 2);
        pump();
      });
    };

    const writeOff = (ahead: readonly Node[], more: number): void => {
      writtenOff += more;
      if (more > 0 || drought === undefined || drought.notified) return;
      if (now() - drought.since < silence) return;
      drought.notified = true;
      if (Number.isInteger(Math.log2(++notices))) context.notify(waitingFor([node, ...ahead])); // of a slow operator not every time
    };

    context.onStart(start);
    demand.onCredit(pump);
    return () => takeBack?.();
  });
}

const arrivalsAt = (nodes: readonly Node[]): number => nodes.reduce((sum, { itemsIn }) => sum + itemsIn, 0);

const isWorking = (nodes: readonly Node[]): boolean =>
  nodes.some(({ held, works, needs }) => held > 0 && (works || needs === 0));

/** The line for a flow in which nothing moves: the way on which most samples are, and the nodes that hold some. */
function waitingFor(nodes: readonly Node[]): string {
  const ways = nodes.flatMap((from) =>
    [...from.downstream].map((to) => ({ from, to, samples: from.left - to.entered })),
  );
  const way = ways.reduce((most, one) => (one.samples > most.samples ? one : most));
  const holding = nodes.filter(({ held }) => held > 0).map(({ name, held }) => `'${name}' holds ${held}`);
  return (
    `waiting: ${way.samples} samples went out on the way ${edgeText(way.from, way.to)} and have not arrived` +
    `${holding.length === 0 ? '' : ` (${holding.join(', ')})`}; no more go out until one does. ` +
    'An operator there keeps them, or drops them: drop unwanted items with weir.filter, or raise the capacity of the source'
  );
}
