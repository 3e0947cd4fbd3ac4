import { keyed, type Random } from '../flow/random.js';

/**
 * A graph and what befalls it, as plain data: printed, shrunk, and run again to the same end.
 *
 * @module
 */

/** A graph: a source, what its items go through, a step that trains, and the branches behind it. */
export interface GraphPlan {
  /** Items of the source; each takes up from 1 to `samples` positions. */
  readonly items: number;
  readonly samples: number;
  readonly capacity: number;
  readonly before: readonly Before[];
  /** Items to an update; 1 where each makes one. */
  readonly accumulate: number;
  /** Updates to an epoch. */
  readonly epoch: number;
  /** By the name of its sink. */
  readonly branches: Readonly<Record<string, readonly After[]>>;
}

/** What stands before the training step. */
export type Before =
  /** `ordered`: work in other threads, which takes up to `slow` milliseconds. */
  | { readonly kind: 'workers'; readonly limit: number; readonly slow: number }
  /** A stage whose state is a sum. */
  | { readonly kind: 'sum' }
  /** A stage that joins items until they have `size` samples. */
  | { readonly kind: 'batch'; readonly size: number }
  /** A stage that makes several items of one. */
  | { readonly kind: 'several'; readonly count: number }
  /** Weir's filter, and RxJS's: each drops one of `every` items. */
  | { readonly kind: 'filter' | 'rx-filter'; readonly every: number }
  | { readonly kind: 'rx-map' }
  /** RxJS's concatMap over a timer. */
  | { readonly kind: 'rx-concatMap'; readonly slow: number }
  /** RxJS's delay. */
  | { readonly kind: 'rx-delay'; readonly slow: number }
  /** `fanOut` to so many branches, and `mergeInTurn`. */
  | { readonly kind: 'fork'; readonly branches: number };

/** What stands behind it. */
export type After =
  | { readonly kind: 'every'; readonly updates: number }
  | { readonly kind: 'every-epoch' }
  | { readonly kind: 'at-end' }
  /** A stage that claims the weights, and makes `count` outputs of an update: its state tells how far it is, or the engine counts. */
  | { readonly kind: 'claim'; readonly count: number; readonly state: 'moves' | 'none' }
  /** A stage whose state is a sum. */
  | { readonly kind: 'sum' }
  | { readonly kind: 'filter' | 'rx-filter'; readonly every: number }
  | { readonly kind: 'rx-map' }
  /** RxJS's operators with a state of their own: what they hold is in no snapshot, so the records behind them are the user's. */
  | { readonly kind: 'rx-bufferCount'; readonly count: number }
  | { readonly kind: 'rx-mergeMap' | 'rx-delay'; readonly slow: number };

/** What befalls a run, at the so manieth call of its event loop or of its disk. */
export interface Blow {
  readonly at: number;
  readonly by: 'loop' | 'disk';
  readonly what: 'kill' | 'power' | 'stop' | 'pause' | 'snapshot' | 'tap' | 'full' | 'EIO';
}

/** The sessions of a run: each goes on until its blow ends it; the last one to the end of the run. */
export interface SchedulePlan {
  readonly seed: number;
  /** Of each session. */
  readonly sessions: readonly (readonly Blow[])[];
  /** Updates from one snapshot to the next. */
  readonly snapshotUpdates: number;
  readonly weather: { readonly drift: number; readonly stalls: number; readonly stall: number };
  /** The part of the writes that take some of the bytes only. */
  readonly short: number;
}

export interface TrialPlan {
  readonly graph: GraphPlan;
  readonly schedule: SchedulePlan;
}

/** What a simulation may make of a seed. */
export interface Sizes {
  readonly items: number;
  readonly nodes: number;
  /** Calls of the event loop in which blows fall. */
  readonly calls: number;
}

export const usual: Sizes = { items: 200, nodes: 5, calls: 1500 };

/** The trial of a seed. */
export function planned(seed: number, sizes: Sizes = usual): TrialPlan {
  const random = keyed(seed, 'simulation/plan');
  return { graph: graphOf(random, sizes), schedule: scheduleOf(random, seed, sizes) };
}

const pick = <T>(random: Random, of: readonly T[]): T => of[random.integer(of.length)]!;
const between = (random: Random, least: number, most: number): number => least + random.integer(most - least + 1);

function graphOf(random: Random, { items, nodes }: Sizes): GraphPlan {
  const samples = pick(random, [1, 1, 1, 4]);
  const before = fitting(
    listOf(between(random, 1, nodes - 2), () => beforeOf(random)),
    samples,
  );
  const batch = before.reduce((size, one) => (one.kind === 'batch' ? size * one.size : size), 1);
  const branches = Array.from({ length: between(random, 1, 3) }, (_, i) => {
    const steps = listOf(between(random, 1, nodes - 2), () => afterOf(random));
    return [`branch${i + 1}$`, allowed(steps)] as const;
  });
  return {
    items,
    samples,
    capacity: 3 * batch * samples + between(random, 0, 24),
    before,
    accumulate: pick(random, [1, 1, 1, 3]),
    epoch: between(random, 2, 12),
    branches: Object.fromEntries([['updates$', []], ...branches]),
  };
}

const listOf = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

function beforeOf(random: Random): Before {
  const slow = pick(random, [0.1, 2, 40]);
  const kind = pick(random, [
    'workers',
    'workers',
    'sum',
    'batch',
    'several',
    'filter',
    'rx-filter',
    'rx-map',
    'rx-concatMap',
    'rx-delay',
    'fork',
  ] as const);
  switch (kind) {
    case 'workers':
      return { kind, limit: between(random, 1, 16), slow };
    case 'batch':
      return { kind, size: between(random, 2, 8) };
    case 'several':
      return { kind, count: between(random, 2, 3) };
    case 'filter':
    case 'rx-filter':
      return { kind, every: between(random, 2, 6) };
    case 'rx-concatMap':
    case 'rx-delay':
      return { kind, slow };
    case 'fork':
      return { kind, branches: between(random, 2, 3) };
    default:
      return { kind };
  }
}

function afterOf(random: Random): After {
  const kind = pick(random, [
    'every',
    'every-epoch',
    'at-end',
    'claim',
    'claim',
    'sum',
    'filter',
    'rx-filter',
    'rx-map',
    'rx-bufferCount',
    'rx-mergeMap',
    'rx-delay',
  ] as const);
  switch (kind) {
    case 'every':
      return { kind, updates: between(random, 1, 7) };
    case 'claim':
      return { kind, count: between(random, 1, 6), state: pick(random, ['moves', 'none']) };
    case 'filter':
    case 'rx-filter':
      return { kind, every: between(random, 2, 4) };
    case 'rx-bufferCount':
      return { kind, count: between(random, 2, 4) };
    case 'rx-mergeMap':
    case 'rx-delay':
      return { kind, slow: pick(random, [0.1, 20]) };
    default:
      return { kind };
  }
}

/** The steps as Weir takes them: no merge of a stream in which several items have one position, and threads with room for two batches. */
function fitting(steps: readonly Before[], samples: number): Before[] {
  const several = steps.findIndex(({ kind }) => kind === 'several');
  const kept = steps.filter(({ kind }, i) => several < 0 || i <= several || kind !== 'fork');
  let size = samples;
  return kept.map((one) => {
    if (one.kind === 'batch') size *= one.size;
    return one.kind === 'workers' && size > samples ? { ...one, limit: Math.max(one.limit, 2 * size) } : one;
  });
}

const isOfUser = ({ kind }: After): boolean => ['rx-bufferCount', 'rx-mergeMap', 'rx-delay'].includes(kind);

/**
 * The steps without those that Weir refuses where they stand: behind an operator that holds items back nothing claims weights, behind one
 * that changes their order no stage of Weir's goes by it, and the end is told where every update comes.
 */
function allowed(steps: readonly After[]): After[] {
  const kept: After[] = [];
  for (const one of steps) {
    const isLate = kept.some(isOfUser);
    const isMixed = kept.some(({ kind }) => kind === 'rx-mergeMap');
    const isThinned = kept.some(({ kind }) => !['rx-map', 'claim', 'sum'].includes(kind));
    if (one.kind === 'claim' && isLate) continue;
    if (one.kind === 'at-end' && isThinned) continue;
    if ((one.kind === 'sum' || one.kind === 'filter') && isMixed) continue;
    kept.push(one);
  }
  return kept;
}

/** Whether the records of a branch are Weir's to answer for: none of its operators has a state of its own. */
export const isAnswered = (steps: readonly After[]): boolean => !steps.some(isOfUser);

function scheduleOf(random: Random, seed: number, { calls }: Sizes): SchedulePlan {
  const loop = (what: Blow['what']): Blow => ({ at: between(random, 1, calls), by: 'loop', what });
  const disk = (what: Blow['what']): Blow => ({ at: between(random, 1, 300), by: 'disk', what });
  const sessions = listOf(pick(random, [1, 1, 2, 3]), () => {
    const what = pick(random, ['kill', 'kill', 'power', 'stop', 'EIO', 'full'] as const);
    const ofDisk = what === 'EIO' || what === 'full' || (what !== 'stop' && random.uniform() < 0.4);
    const before = random.uniform() < 0.3 ? [loop(pick(random, ['pause', 'snapshot', 'tap'] as const))] : [];
    return [...before, ofDisk ? disk(what) : loop(what)];
  });
  return {
    seed,
    sessions,
    snapshotUpdates: between(random, 1, 20),
    weather: pick(random, [
      { drift: 0.01, stalls: 0, stall: 0 },
      { drift: 0.5, stalls: 0.01, stall: 100 },
      { drift: 2, stalls: 0.001, stall: 10_000 },
    ]),
    short: pick(random, [0, 0, 0.2]),
  };
}
