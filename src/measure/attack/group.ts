import type { Labels } from '../../core/labels.js';
import type { Model, Weights } from '../../learn/model/model.js';
import type { Limits } from './box.js';
import { distance } from './geometry.js';
import { tangentStep } from './hemisphere.js';
import { type Around, type Estimator, type Noise, normalOf, noSums, type Sums } from './normal.js';
import { type Outcome, outcomes } from './result.js';
import { perturbationScale, schedule } from './schedule.js';
import { answers, flips, type Searched, searchBoundary } from './search.js';
import { type Protocol, TRIES, triesOf, tryNoise } from './start.js';

/** Where the attack on one group stands. Plain data; arrays hold one entry, or one row of d, a sample. */
export type GroupState = {
  readonly phase: 'predict' | 'noise' | 'others' | 'iterate' | 'verify' | 'done';
  /** Noisy points tried for the start so far. */
  readonly tries: number;
  /** t, iterations done. */
  readonly iteration: number;
  /** Units of work done of the next one's normals. */
  readonly unit: number;
  /** Class of each original. */
  readonly predicted: Int32Array;
  readonly adversarialLabel: Int32Array;
  readonly queries: Int32Array;
  /** −1 under way, else the place in `outcomes`. */
  readonly outcome: Int8Array;
  /** 1 where the iterations are over, for want of queries, and only the verification is left. */
  readonly spent: Uint8Array;
  /** x_t, adversarial; before the binary search of the start the noisy point chosen so far. */
  readonly points: Float32Array;
  /** Distance of that noisy point, Infinity where there is none. */
  readonly nearest: Float64Array;
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
  /** Standard normal numbers by (purpose, iteration or tries, chunk): the same whenever asked for. */
  readonly noise: (purpose: 'start' | 'normal', at: number, ...rest: Parameters<Noise>) => ReturnType<Noise>;
  /** Inputs of the evaluation set that are classified otherwise than `slot`'s, in random order: starts where noise finds none. */
  readonly others: (slot: number) => Iterable<Float32Array>;
}

export function startGroup(size: number, count: number, d: number): GroupState {
  return {
    phase: 'predict',
    tries: 0,
    iteration: 0,
    unit: 0,
    predicted: new Int32Array(size).fill(-1),
    adversarialLabel: new Int32Array(size).fill(-1),
    queries: new Int32Array(size),
    outcome: Int8Array.from({ length: size }, (_, slot) => (slot < count ? -1 : 0)), // nothing to do in the last group's empty places
    spent: new Uint8Array(size),
    points: new Float32Array(size * d),
    nearest: new Float64Array(size).fill(Number.POSITIVE_INFINITY),
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
  const end = (slot: number, outcome: Outcome): void => {
    state.outcome[slot] = outcomes.indexOf(outcome);
  };
  const group: Searched = {
    ...{ model: task.model, weights: task.weights, originals },
    ...{ predicted: state.predicted, queries: state.queries },
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
      state.phase = 'noise';
      yield copyOf(state);
    }

    while (state.phase === 'noise') {
      const searching = (slot: number) => protocol === 'paper' || state.nearest[slot] === Number.POSITIVE_INFINITY;
      if (state.tries >= triesOf(protocol) || !where(searching).includes(1)) {
        state.phase = 'others';
        break;
      }
      const noise = task.noise('start', state.tries, 0, [TRIES, d]) as Parameters<typeof tryNoise>[2];
      try {
        for (; state.unit < size; state.unit++) {
          const slot = state.unit;
          if (state.outcome[slot] !== -1 || !searching(slot)) continue;
          if (afford(slot, TRIES)) {
            const best = state.points.subarray(slot * d, (slot + 1) * d);
            state.nearest[slot] = tryNoise(group, slot, noise, protocol, box, best, state.nearest[slot]!);
          } else if (state.nearest[slot] === Number.POSITIVE_INFINITY) end(slot, 'out-of-queries');
          if (slot < size - 1) yield copyOf({ ...state, unit: slot + 1 });
        }
      } finally {
        noise.dispose();
      }
      state.unit = 0;
      state.tries += TRIES;
      yield copyOf(state);
    }

    if (state.phase === 'others') {
      for (let slot = 0; slot < size; slot++) {
        if (state.outcome[slot] !== -1 || state.nearest[slot] !== Number.POSITIVE_INFINITY) continue;
        takeAnother(slot);
      }
      const started = where((slot) => {
        if (!afford(slot, schedule.halvings)) state.spent[slot] = 1;
        return state.spent[slot] === 0;
      });
      searchBoundary(group, state.points, started);
      state.phase = 'iterate';
      yield copyOf(state);
    }

    while (state.phase === 'iterate') {
      const i = state.iteration + 1;
      const n = schedule.evaluations(i);
      const running = where((slot) => {
        if (i > task.iterations) return false;
        if (state.sums === null && !afford(slot, n + schedule.halvings)) state.spent[slot] = 1;
        return state.spent[slot] === 0;
      });
      if (!running.includes(1)) {
        state.phase = 'verify';
        break;
      }
      const scales = Float64Array.from({ length: size }, (_, slot) =>
        perturbationScale(i, box, distance(originals, state.points, slot * d, d), d),
      );
      const wanted = running.map((one, slot) => Number(one === 1 && scales[slot]! > 0)); // at x itself there is no normal
      const around: Around = { points: state.points, predicted: state.predicted, wanted, scales };
      const sums = state.sums ?? noSums(size, d);
      state.sums = sums;
      const units = estimator.units(n);
      while (state.unit < units) {
        estimator.add(task.weights, around, n, state.unit++, (...chunk) => task.noise('normal', i, ...chunk), sums);
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

  /** Looks through other samples for one that is predicted differently. */
  function takeAnother(slot: number): void {
    for (const other of task.others(slot)) {
      if (!afford(slot, 1)) {
        end(slot, 'out-of-queries');
        return;
      }
      const point = state.points.subarray(slot * d, (slot + 1) * d);
      point.set(other);
      const only = where((one) => one === slot);
      if (flips(group, state.points, only)[slot] === 1) {
        state.nearest[slot] = distance(originals, state.points, slot * d, d);
        return;
      }
      if (only[slot] !== 1) return; // its logits were NaN
    }
    end(slot, 'never-flipped');
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
    points: state.points.slice(),
    nearest: state.nearest.slice(),
    sums: sums && {
      changed: sums.changed.slice(),
      broken: sums.broken.slice(),
      overChanged: sums.overChanged.slice(),
      overAll: sums.overAll.slice(),
    },
  };
}
