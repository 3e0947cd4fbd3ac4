import type { Labels } from '../../data/class-names.js';
import type { Model, Weights } from '../../learn/model/model.js';
import type { Limits } from './box.js';
import {
  answers,
  distance,
  perturbationScale,
  type Searched,
  schedule,
  searchBoundary,
  tangentStep,
} from './hemisphere.js';
import { type BoundaryPoints, type Estimator, type Noise, normalOf, noSums, type Sums } from './normal.js';
import { type AttackOutcome, attackOutcomes } from './record.js';
import {
  noStart,
  type Protocol,
  type StartPoint,
  type StartState,
  type StartTask,
  seekStarts,
  startKinds,
  startPoint,
} from './start.js';

/** Where the attack on one group stands. Plain data; arrays hold one entry, or one row of d, a sample. */
export type GroupState = {
  readonly phase: 'predict' | 'start' | 'boundary' | 'iterate' | 'verify' | 'done';
  /** t, iterations done. */
  readonly iteration: number;
  /** Samples whose start has been sought; then units of work done of the next iteration's normals. */
  readonly unit: number;
  /** Where the search for starts stands of the sample under way; null between two. */
  readonly starting: StartState | null;
  /** The starts of each sample, the nearest first. */
  readonly starts: readonly (readonly StartPoint[])[];
  /** Which of its starts each sample pursues; `schedule.starts` when the nearest has been kept. */
  readonly rank: number;
  /** 1 for each sample that has a start of that rank, and queries for it. */
  readonly racing: Uint8Array;
  /** Class of each original. */
  readonly predicted: Int32Array;
  readonly adversarialLabel: Int32Array;
  readonly queries: Int32Array;
  /** −1 under way, else the place in `outcomes`. */
  readonly outcome: Int8Array;
  /** 1 where the iterations are over, for want of queries, and only the verification is left. */
  readonly spent: Uint8Array;
  /** What `best` came from, by its place in `startKinds`. */
  readonly start: Int8Array;
  /** x_t, adversarial, of the start under way. */
  readonly points: Float32Array;
  /** x_t of the start that came nearest so far, while several are pursued. */
  readonly best: Float32Array;
  /** Of the normals under way; null between two iterations. */
  readonly sums: Sums | null;
};

/** What the attack on a group needs besides its state: made again from the update and the options when a run goes on. */
export interface GroupTask {
  readonly model: Model;
  readonly weights: Weights;
  readonly box: Limits;
  readonly iterations: number;
  readonly budget: number;
  readonly protocol: Protocol;
  readonly estimator: Estimator;
  /** [group, d]; rows past `labels` are zero. */
  readonly originals: Float32Array;
  readonly labels: Labels;
  /** Standard normal numbers by (iteration, chunk): the same whenever asked for. */
  readonly noise: (iteration: number, ...rest: Parameters<Noise>) => ReturnType<Noise>;
  /** What the search for a sample's start is made from. */
  readonly start: (slot: number) => Pick<StartTask, 'seeds' | 'others' | 'input'>;
}

export function startGroup(size: number, count: number, d: number): GroupState {
  return {
    phase: 'predict',
    iteration: 0,
    unit: 0,
    starting: null,
    starts: Array.from({ length: size }, () => []),
    rank: 0,
    racing: new Uint8Array(size),
    predicted: new Int32Array(size).fill(-1),
    adversarialLabel: new Int32Array(size).fill(-1),
    queries: new Int32Array(size),
    outcome: Int8Array.from({ length: size }, (_, slot) => (slot < count ? -1 : 0)), // nothing to do in the last group's empty places
    spent: new Uint8Array(size),
    start: new Int8Array(size),
    points: new Float32Array(size * d),
    best: new Float32Array(size * d),
    sums: null,
  };
}

/**
 * Attacks the samples of one group in step, one slice of bounded work after the other, and yields the state after each.
 *
 * It may be left at any yield and begun again with that state: the rest is the same, for noise is keyed by its place and all
 * forward passes have shapes that the state alone decides.
 */
export function* attackGroup(task: GroupTask, from: GroupState): Generator<GroupState> {
  const state = copyOf(from);
  const { originals, box, protocol, estimator } = task;
  const size = state.outcome.length;
  const d = originals.length / size;
  const heats = schedule.heats(task.iterations);
  const end = (slot: number, outcome: AttackOutcome): void => {
    state.outcome[slot] = attackOutcomes.indexOf(outcome);
  };
  const group: Searched = {
    model: task.model,
    weights: task.weights,
    originals,
    predicted: state.predicted,
    queries: state.queries,
    broken: (slot) => end(slot, 'not-a-number'),
  };
  const where = (wanted: (slot: number) => boolean): Uint8Array =>
    Uint8Array.from({ length: size }, (_, slot) => Number(state.outcome[slot] === -1 && wanted(slot)));
  /** May this sample make so many more queries? One is kept for the verification. */
  const afford = (slot: number, queries: number): boolean => state.queries[slot]! + queries < task.budget;

  try {
    if (state.phase === 'predict') {
      const running = where(() => true);
      const found = answers(group, originals, running);
      for (let slot = 0; slot < size; slot++) {
        if (running[slot] !== 1) continue;
        state.predicted[slot] = found[slot]!;
        if (found[slot] !== task.labels[slot]) end(slot, 'already-misclassified');
      }
      state.phase = 'start';
      yield copyOf(state);
    }

    while (state.phase === 'start') {
      const slot = state.unit;
      if (slot === size) {
        state.phase = 'iterate';
        state.unit = 0;
        beginRank();
      } else {
        if (state.outcome[slot] === -1) {
          const search = seekStarts(startTask(slot), state.starting ?? noStart);
          let step = search.next();
          for (; !step.done && state.outcome[slot] === -1; step = search.next()) {
            state.starting = step.value;
            yield copyOf(state);
          }
          if (step.done && state.outcome[slot] === -1) {
            if (typeof step.value === 'string') end(slot, step.value);
            else state.starts = state.starts.with(slot, step.value);
          }
        }
        state.starting = null;
        state.unit++;
      }
      yield copyOf(state);
    }

    while (state.phase === 'iterate') {
      const i = state.iteration + 1;
      const n = schedule.evaluations(i);
      const racing = state.rank < schedule.starts;
      const running = where((slot) => {
        if (i > (racing ? heats : task.iterations) || (racing && state.racing[slot] === 0)) return false;
        if (state.sums === null && !afford(slot, n + schedule.halvings)) state.spent[slot] = 1;
        return state.spent[slot] === 0;
      });
      if (!running.includes(1)) {
        if (racing) endRank();
        else state.phase = 'verify';
        yield copyOf(state);
        continue;
      }
      const scales = Float64Array.from({ length: size }, (_, slot) =>
        perturbationScale(i, box, distance(originals, state.points, slot * d, d), d),
      );
      const wanted = running.map((one, slot) => Number(one === 1 && scales[slot]! > 0)); // at x itself there is no normal
      const around: BoundaryPoints = { points: state.points, predicted: state.predicted, wanted, scales };
      const sums = state.sums ?? noSums(size, d);
      state.sums = sums;
      const units = estimator.units(n);
      while (state.unit < units) {
        estimator.add(task.weights, around, n, state.unit++, (...chunk) => task.noise(i, ...chunk), sums);
        if (state.unit < units) yield copyOf(state);
      }
      for (let slot = 0; slot < size; slot++) {
        if (running[slot] !== 1) continue;
        state.queries[slot]! += n;
        if (sums.broken[slot] === 1) {
          group.broken(slot);
          running[slot] = 0;
        }
      }
      const normals = Array.from(running, (wanted, slot) => (wanted === 1 ? normalOf(sums, n, slot, d) : undefined));
      tangentStep(group, state.points, normals, i, box, running.slice(), (slot) => afford(slot, schedule.halvings + 1));
      searchBoundary(
        group,
        state.points,
        where((slot) => running[slot] === 1),
      );
      state.sums = null;
      state.unit = 0;
      state.iteration = i;
      yield copyOf(state);
    }

    if (state.phase === 'verify') {
      const left = where(() => true);
      if (left.includes(1)) verify(left);
      state.phase = 'done';
      yield copyOf(state);
    }
  } finally {
    estimator.dispose();
  }

  function startTask(slot: number): StartTask {
    return { group, slot, protocol, box, budget: task.budget - 1, ...task.start(slot) };
  }

  /** Brings the starts of this rank to the boundary. Others than the first are pursued where queries are left for all iterations. */
  function beginRank(): void {
    const wanted = where((slot) => {
      const place = state.starts[slot]![state.rank];
      const rest = schedule.queries(task.iterations) + schedule.queries(heats);
      state.racing[slot] = Number(place !== undefined && (state.rank === 0 || afford(slot, rest)));
      if (state.racing[slot] === 0) return false;
      state.points.set(startPoint(startTask(slot), place!), slot * d);
      if (!afford(slot, schedule.halvings)) state.spent[slot] = 1;
      return state.spent[slot] === 0;
    });
    searchBoundary(group, state.points, wanted);
    state.iteration = 0;
  }

  /** Keeps of each sample the start that came nearer; after the last rank the attack goes on from there. */
  function endRank(): void {
    for (let slot = 0; slot < size; slot++) {
      if (state.outcome[slot] !== -1 || state.racing[slot] === 0) continue;
      const [from, to] = [slot * d, (slot + 1) * d];
      const nearer = distance(originals, state.points, from, d) < distance(originals, state.best, from, d);
      if (state.rank > 0 && !nearer) continue;
      state.best.set(state.points.subarray(from, to), from);
      state.start[slot] = startKinds.indexOf(state.starts[slot]![state.rank]!.start);
    }
    state.rank++;
    const more = where((slot) => state.rank < state.starts[slot]!.length).includes(1);
    if (more) beginRank();
    else {
      state.rank = schedule.starts;
      state.points.set(state.best);
      state.iteration = heats;
    }
  }

  function verify(left: Uint8Array): void {
    const found = answers(group, state.points, left);
    for (let slot = 0; slot < size; slot++) {
      if (left[slot] !== 1) continue;
      if (found[slot] === state.predicted[slot]) end(slot, 'unstable');
      else {
        state.adversarialLabel[slot] = found[slot]!;
        end(slot, state.spent[slot] === 1 ? 'out-of-queries' : 'found');
      }
    }
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function copyOf(state: GroupState): Mutable<GroupState> {
  const { sums } = state;
  return {
    ...state,
    predicted: state.predicted.slice(),
    adversarialLabel: state.adversarialLabel.slice(),
    queries: state.queries.slice(),
    outcome: state.outcome.slice(),
    spent: state.spent.slice(),
    racing: state.racing.slice(),
    points: state.points.slice(),
    best: state.best.slice(),
    start: state.start.slice(),
    sums: sums && {
      changed: sums.changed.slice(),
      broken: sums.broken.slice(),
      overChanged: sums.overChanged.slice(),
      overAll: sums.overAll.slice(),
    },
  };
}
