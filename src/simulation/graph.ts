import {
  bufferCount,
  concatMap,
  delay,
  map,
  mergeMap,
  type Observable,
  of,
  filter as rxFilter,
  type SchedulerLike,
  timer,
} from 'rxjs';
import type { Positioned } from '../flow/data.js';
import { fanOut, mergeInTurn } from '../flow/fork-and-join.js';
import { filter, named } from '../flow/operators.js';
import { ordered } from '../flow/ordered.js';
import { keyed } from '../flow/random.js';
import { atEnd, every } from '../flow/schedule.js';
import { serial } from '../flow/serial.js';
import { source } from '../flow/source.js';
import { type Step, stage } from '../flow/stage.js';
import { after as later } from '../surroundings/surroundings.js';
import type { After, Before, GraphPlan } from './plan.js';

/** What flows before the training: a number that tells from which items it was made. */
export interface Item extends Positioned {
  readonly value: number;
  /** Samples that it is made of. */
  readonly samples: number;
}

/** What the training gives: a sum over all items so far, and the weights themselves, which move with the next one. */
export interface SimulatedUpdate extends Item {
  readonly number: number;
  readonly epoch: number;
  readonly endsEpoch: boolean;
  /** The weights as they were when it was handed out, and as they are now. */
  readonly own: number;
  readonly weights: () => number;
}

/** Mixes two numbers into one of 31 bits: every change of an item, or of their order, changes what comes after. */
export const mix = (a: number, b: number): number => {
  const x = Math.imul(a ^ (b + 0x9e3779b9 + (a << 6) + (a >>> 2)), 0x85ebca6b);
  return (x ^ (x >>> 15)) & 0x7fffffff;
};

/** The faults that a graph itself sees, as sentences. */
export type Fault = (text: string) => void;

/** What a graph has of the simulation that it runs in. */
export interface GraphSurroundings {
  readonly seed: number;
  readonly scheduler: SchedulerLike;
  readonly fault: Fault;
}

/** The streams of a plan's graph, as a pipeline's `wire` returns them. */
export function wired(plan: GraphPlan, around: GraphSurroundings): Record<`${string}$`, Observable<unknown>> {
  const items$ = source<Item>({
    name: 'items',
    capacity: plan.capacity,
    *from(position) {
      for (const item of itemsOf(plan)) if (item.position > position) yield item;
    },
  });
  const before$ = plan.before.reduce<Observable<Item>>(
    (stream, one, i) => applied(stream, one, `${one.kind} ${i}`, around),
    items$,
  );
  const updates$ = before$.pipe(training(plan));
  const branches = Object.entries(plan.branches).map(([name, steps]) => {
    const stream = steps.reduce<Observable<SimulatedUpdate>>(
      (before, one, i) => behind(before, one, `${name} ${one.kind} ${i}`, around),
      updates$,
    );
    return [name, stream.pipe(map(({ weights: _, own: __, ...record }) => record))] as const;
  });
  return Object.fromEntries(branches);
}

/** All items of a source; each takes up some positions. */
function* itemsOf({ items, samples }: GraphPlan): Generator<Item> {
  let position = 0;
  for (let i = 1; i <= items; i++) {
    const own = 1 + (mix(i, 7) % samples);
    position += own;
    yield { position, value: mix(i, 1), samples: own };
  }
}

/** Milliseconds that the work on an item takes. */
const duration = (most: number, { value }: Item, { seed }: GraphSurroundings): number =>
  most * keyed(seed, 'simulation/work', value).uniform();

function applied(stream: Observable<Item>, one: Before, name: string, around: GraphSurroundings): Observable<Item> {
  const { scheduler } = around;
  switch (one.kind) {
    case 'workers':
      return stream.pipe(
        ordered(
          name,
          one.limit,
          (item: Item) =>
            new Promise<Item>((resolve) => {
              later(duration(one.slow, item, around), () => resolve({ ...item, value: mix(item.value, 2) }));
            }),
          ({ samples }) => samples,
        ),
      );
    case 'sum':
      return stream.pipe(summing(name));
    case 'batch':
      return stream.pipe(batching(name, one.size));
    case 'several':
      return stream.pipe(
        stage<Item, Item, null>({
          name,
          start: () => null,
          *next(state, item) {
            for (let i = 0; i < one.count; i++) yield [state, { ...item, value: mix(item.value, i) }];
          },
        }),
      );
    case 'filter':
      return stream.pipe(filter(({ value }) => value % one.every !== 0, { name }));
    case 'rx-filter':
      return stream.pipe(rxFilter(({ value }) => value % one.every !== 0));
    case 'rx-map':
      return stream.pipe(map((item) => ({ ...item, value: mix(item.value, 3) })));
    case 'rx-concatMap':
      return stream.pipe(concatMap((item) => timer(duration(one.slow, item, around), scheduler).pipe(map(() => item))));
    case 'rx-delay':
      return stream.pipe(delay(one.slow, scheduler));
    case 'fork': {
      const shared$ = stream.pipe(fanOut(name));
      const branches = Array.from({ length: one.branches }, (_, i) =>
        shared$.pipe(map((item) => ({ ...item, value: mix(item.value, i) }))),
      );
      return mergeInTurn(`${name} merged`, ...branches).pipe(map(({ position, item }) => ({ ...item, position })));
    }
  }
}

const summing = (name: string) =>
  stage<Item, Item, number>({
    name,
    start: () => 0,
    next(sum, item) {
      const value = mix(sum, item.value);
      return [value, { ...item, value }];
    },
  });

/** Items joined so far, the samples that they are, and where they end. */
type Joined = { readonly items: number; readonly samples: number; readonly value: number; readonly position: number };

/** Joins items until they have so many, as the stage that makes batches does: the last ones may be fewer. */
const batching = (name: string, size: number) =>
  stage<Item, Item, Joined>({
    name,
    needs: size,
    holds: ({ samples }) => samples,
    start: () => ({ items: 0, samples: 0, value: 0, position: 0 }),
    next(state, item) {
      const { position } = item;
      const items = state.items + 1;
      const value = mix(state.value, item.value);
      if (items < size) return [{ items, samples: state.samples + item.samples, value, position }];
      return [
        { items: 0, samples: 0, value: 0, position },
        { position, value, samples: state.samples + item.samples },
      ];
    },
    *end({ items, samples, value, position }) {
      if (items > 0) yield { position, value, samples };
    },
  });

/** Sums all items, and lets the sum stand as weights do: it moves in place with the next update. */
function training({ accumulate, epoch }: GraphPlan) {
  type State = {
    readonly position: number;
    readonly number: number;
    readonly sum: number;
    readonly pending: readonly Item[];
  };
  const standing = { sum: 0 };
  const output = ({ position, number, sum }: State): SimulatedUpdate => {
    standing.sum = sum;
    return {
      ...{ position, value: sum, number },
      epoch: Math.ceil(number / epoch),
      endsEpoch: number % epoch === 0,
      samples: 1,
      own: sum,
      weights: () => standing.sum,
    };
  };
  const step = (state: State, pending: readonly Item[]): readonly [State, SimulatedUpdate] => {
    const sum = pending.reduce((before, { value }) => mix(before, value), state.sum);
    const next = { position: pending.at(-1)!.position, number: state.number + 1, sum, pending: [] };
    return [next, output(next)];
  };
  return serial<Item, SimulatedUpdate, State>({
    name: 'train',
    start: () => ({ position: 0, number: 0, sum: 0, pending: [] }),
    next(state, item): Step<State, SimulatedUpdate> {
      const pending = [...state.pending, item];
      return pending.length < accumulate ? [{ ...state, pending }] : step(state, pending);
    },
    flush: (state) => (state.pending.length === 0 ? undefined : step(state, state.pending)),
    repeat: output,
    save: ({ pending: _, ...state }) => state,
    load: (data) => ({ ...(data as Omit<State, 'pending'>), pending: [] }),
  });
}

function behind(
  stream: Observable<SimulatedUpdate>,
  one: After,
  name: string,
  around: GraphSurroundings,
): Observable<SimulatedUpdate> {
  const { scheduler, fault } = around;
  switch (one.kind) {
    case 'every':
      return stream.pipe(every({ updates: one.updates }));
    case 'every-epoch':
      return stream.pipe(every({ epochs: 1 }));
    case 'at-end':
      return stream.pipe(atEnd());
    case 'claim':
      return stream.pipe(claiming(name, one, fault));
    case 'sum':
      return stream.pipe(
        stage<SimulatedUpdate, SimulatedUpdate, number>({
          name,
          start: () => 0,
          next: (sum, item) => [mix(sum, item.value), { ...item, value: mix(sum, item.value) }],
        }),
      );
    case 'filter':
      return stream.pipe(
        named(
          name,
          filter(({ value }) => value % one.every !== 0),
        ),
      );
    case 'rx-filter':
      return stream.pipe(rxFilter(({ value }) => value % one.every !== 0));
    case 'rx-map':
      return stream.pipe(map((item) => ({ ...item, value: mix(item.value, 4) })));
    case 'rx-bufferCount':
      return stream.pipe(
        bufferCount(one.count),
        map((items) => items.at(-1)!),
      );
    case 'rx-mergeMap':
      return stream.pipe(mergeMap((item) => timer(duration(one.slow, item, around), scheduler).pipe(map(() => item))));
    case 'rx-delay':
      return stream.pipe(concatMap((item) => of(item).pipe(delay(duration(one.slow, item, around), scheduler))));
  }
}

/** Works on an update in several slices, at each of which its weights must still be those that it came with. */
function claiming(name: string, { count, state }: Extract<After, { kind: 'claim' }>, fault: Fault) {
  const check = ({ number, value, own, weights }: SimulatedUpdate): number => {
    if (own !== weights()) fault(`the weights of update ${number} moved under '${name}'`);
    return mix(value, own);
  };
  return state === 'none'
    ? stage<SimulatedUpdate, SimulatedUpdate, null>({
        name,
        claims: 'weights',
        start: () => null,
        *next(_, update) {
          for (let part = 1; part <= count; part++) yield [null, { ...update, value: mix(check(update), part) }];
        },
      })
    : stage<SimulatedUpdate, SimulatedUpdate, { readonly part: number; readonly sum: number }>({
        name,
        claims: 'weights',
        start: () => ({ part: 0, sum: 0 }),
        *next(before, update) {
          for (let { part, sum } = before; part < count; ) {
            part++;
            sum = mix(sum, check(update));
            yield [
              { part: part % count, sum },
              { ...update, value: mix(sum, part) },
            ];
          }
        },
      });
}
