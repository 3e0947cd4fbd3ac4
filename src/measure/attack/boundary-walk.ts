import { checkCounts } from '../../flow/options.js';
import { seeds } from '../../flow/random.js';
import { statelessNormal } from '../../tensorflow/ops/eager.js';
import type { tf } from '../../tensorflow/tf.js';
import type { Normalization } from '../inputs.js';
import { nearestFirst, shuffled } from '../predictions.js';
import type { AttackMethod, AttackSetting } from './attack.js';
import type { Limits } from './box.js';
import { DDN_GAMMA, decoupled } from './ddn.js';
import { distance, HALVINGS, type SampleGroup } from './group.js';
import { type MinimumNormState, minimumNorm } from './minimum-norm.js';
import { type BoundaryPoints, dense, direct, type Noise, type NormalSums, normalOf, noSums } from './normal.js';
import { startKinds } from './record.js';
import {
  noStart,
  type Protocol,
  type StartPoint,
  type StartState,
  type StartTask,
  seekStarts,
  startPoint,
} from './start.js';

/** The choices in which attacks differ that walk along the boundary by classes alone. */
export interface BoundaryWalk {
  /** Draws for the normal at iteration i = 1, 2, … */
  draws(i: number): number;
  /** δ: x_t is perturbed by δz. @param distance ‖x_t − x‖₂ */
  scale(i: number, box: Limits, distance: number, d: number): number;
  /** z; standard normal numbers by default. */
  noise?(shape: readonly [number, number], lie: 'columns' | 'rows', keys: readonly [number, number]): tf.Tensor;
  /** Moves each wanted point from one place of the boundary to another, given the normals there. `HALVINGS` queries are left for it. */
  step(group: SampleGroup, normals: readonly (Float32Array | undefined)[], i: number, wanted: Uint8Array): void;
  /** Starts that are pursued, each of another adversarial class. */
  readonly starts: number;
  /** Iterations for which all are pursued. */
  heats(iterations: number): number;
}

/** The options of such an attack, as far as the walk needs them. */
export interface WalkOptions {
  readonly seed: number;
  /** T */
  readonly iterations: number;
  /** Draws in one forward pass, for models whose first layer is not dense. */
  readonly chunk?: number | undefined;
  readonly protocol?: Protocol | undefined;
  readonly start?: 'ddn' | undefined;
  readonly normalize?: Normalization | undefined;
}

/** Where the search on one group stands. Plain data; arrays hold one entry, or one row of d, a sample. */
export type WalkState = {
  readonly phase: 'start' | 'iterate';
  /** t, iterations done. */
  readonly iteration: number;
  /** Samples whose start has been sought; then units of work done of the next iteration's normals. */
  readonly unit: number;
  /** Where DDN stands on the group; null before it, after it, and without it. */
  readonly descent: MinimumNormState | null;
  /** Where the search for starts stands of the sample under way; null between two. */
  readonly starting: StartState | null;
  /** The starts of each sample, the nearest first. */
  readonly starts: readonly (readonly StartPoint[])[];
  /** Which of its starts each sample pursues; the number of starts when the nearest has been kept. */
  readonly rank: number;
  /** 1 for each sample that has a start of that rank, and queries for it. */
  readonly racing: Uint8Array;
  /** The kind of start of `best`, by its index in `startKinds`. */
  readonly start: Int8Array;
  /** x_t of the start that came nearest so far, while several are pursued. The group's points are the x_t of the start under way. */
  readonly best: Float32Array;
  /** Of the normals under way; null between two iterations. */
  readonly sums: NormalSums | null;
};

/** Steps of DDN where it gives the starts: some hundred queries of the ten thousand that follow. */
const DDN_STEPS = 50;

/** Queries that a step takes, at least. */
const STEP = HALVINGS;

/**
 * The search that attacks by classes alone share. A start is brought to the boundary (`start.ts`). At each iteration the normal there is
 * estimated from the classes of points around, and the attack steps along the boundary, to a place that is nearer to the sample.
 *
 * The draws for the normals are shared by all samples of a group, and keyed by seed and iteration; each sample's start is keyed by its index.
 * Where several starts are pursued, the one that came nearest in the first iterations goes on.
 *
 * @param name of the attack, in the keys of its random numbers
 */
export function boundaryWalk(
  name: string,
  setting: AttackSetting,
  { seed, iterations, chunk = 128, protocol = 'paper', start, normalize }: WalkOptions,
  walk: BoundaryWalk,
): AttackMethod<WalkState> {
  checkCounts(`stage '${name}'`, { iterations, chunk });
  const { model, samples, d, box, group: size, input } = setting;
  const heats = walk.heats(iterations);
  const queries = (upTo: number): number =>
    Array.from({ length: upTo }, (_, i) => walk.draws(i + 1) + 2 * STEP).reduce((sum, one) => sum + one, 0);
  const draw = walk.noise ?? ((shape, _lie, keys) => statelessNormal(shape, keys));
  const descent =
    start === 'ddn' ? minimumNorm(name, setting, { seed, iterations: DDN_STEPS }, decoupled(DDN_GAMMA)) : undefined;

  /** The authors' code: the other attacked samples in random order, less those of the same class. */
  const otherAttacked = (chosen: Uint32Array, own: number): Uint32Array => {
    const others = chosen.filter((index) => samples.labels[index] !== samples.labels[own]);
    return shuffled(others.length, seed, 'others', own).map((k) => others[k]!);
  };

  const startTask = (group: SampleGroup, slot: number): StartTask => {
    const { indices, chosen, budget } = group.task;
    const own = indices[slot]!;
    return {
      group,
      slot,
      protocol,
      budget: budget - 1,
      seeds: (batch) => seeds(seed, `${name}/start`, own, batch),
      others: () => (protocol === 'authors' ? otherAttacked(chosen, own) : nearestFirst(samples, own, normalize)),
      input,
    };
  };

  function* search(group: SampleGroup, from: WalkState): Generator<WalkState> {
    const state = copyOf(from);
    const { points, task } = group;
    const { originals, weights } = task;
    const estimator = model.first ? dense(model, model.first, size, box) : direct(model, size, box, chunk);

    try {
      if (state.phase === 'start' && descent !== undefined) {
        for (state.descent of descent.search(group, state.descent ?? descent.start())) yield copyOf(state);
        state.descent = null;
        state.phase = 'iterate';
        beginRank();
        yield copyOf(state);
      }
      while (state.phase === 'start') {
        const slot = state.unit;
        if (slot === size) {
          state.phase = 'iterate';
          state.unit = 0;
          beginRank();
        } else {
          if (group.outcome[slot] === -1) {
            const starts = seekStarts(startTask(group, slot), state.starting ?? noStart);
            let step = starts.next();
            for (; !step.done && group.outcome[slot] === -1; step = starts.next()) {
              state.starting = step.value;
              yield copyOf(state);
            }
            if (step.done && group.outcome[slot] === -1) {
              if (typeof step.value === 'string') group.end(slot, step.value);
              else state.starts = state.starts.with(slot, step.value);
            }
          }
          state.starting = null;
          state.unit++;
        }
        yield copyOf(state);
      }

      for (;;) {
        const i = state.iteration + 1;
        const n = walk.draws(i);
        const racing = state.rank < walk.starts;
        const running = group.running((slot) => {
          if (i > (racing ? heats : iterations) || (racing && state.racing[slot] === 0)) return false;
          if (state.sums === null && !group.afford(slot, n + STEP)) group.spent[slot] = 1;
          return group.spent[slot] === 0;
        });
        if (!running.includes(1)) {
          if (!racing) return;
          endRank();
          yield copyOf(state);
          continue;
        }
        const scales = Float64Array.from({ length: size }, (_, slot) =>
          walk.scale(i, box, distance(originals, points, slot * d, d), d),
        );
        const wanted = running.map((one, slot) => Number(one === 1 && scales[slot]! > 0)); // at x itself there is no normal
        const around: BoundaryPoints = { points, predicted: group.predicted, wanted, scales };
        const sums = state.sums ?? noSums(size, d);
        state.sums = sums;
        const units = estimator.units(n);
        const noise: Noise = (part, shape, lie) => draw(shape, lie, seeds(seed, `${name}/normal`, i, part));
        while (state.unit < units) {
          estimator.add(weights, around, n, state.unit++, noise, sums);
          if (state.unit < units) yield copyOf(state);
        }
        for (let slot = 0; slot < size; slot++) {
          if (running[slot] !== 1) continue;
          group.count(slot, n);
          if (sums.broken[slot] === 1) {
            group.end(slot, 'not-a-number');
            running[slot] = 0;
          }
        }
        const normals = Array.from(running, (one, slot) => (one === 1 ? normalOf(sums, n, slot, d) : undefined));
        walk.step(group, normals, i, running.slice());
        for (let slot = 0; slot < size; slot++) {
          if (running[slot] === 1 && group.outcome[slot] === -1) group.trace(slot, reached(slot));
        }
        state.sums = null;
        state.unit = 0;
        state.iteration = i;
        yield copyOf(state);
      }
    } finally {
      estimator.dispose();
    }

    /** Brings the starts of this rank to the boundary. Others than the first are pursued where queries are left for all iterations. */
    function beginRank(): void {
      const wanted = group.running((slot) => {
        const origin = state.starts[slot]![state.rank];
        const rest = queries(iterations) + queries(heats);
        const found = origin !== undefined || descent !== undefined; // the group's points are those of DDN
        state.racing[slot] = Number(found && (state.rank === 0 || group.afford(slot, rest)));
        if (state.racing[slot] === 0) return false;
        if (descent !== undefined) return false; // which has brought them to the boundary
        points.set(startPoint(startTask(group, slot), origin!), slot * d);
        if (!group.afford(slot, STEP)) group.spent[slot] = 1;
        return group.spent[slot] === 0;
      });
      group.toBoundary(wanted);
      for (let slot = 0; slot < size; slot++) {
        if (state.racing[slot] === 1 && group.outcome[slot] === -1 && group.spent[slot] === 0)
          group.trace(slot, reached(slot));
      }
      state.iteration = 0;
    }

    /** ‖x_t − x‖ of the start under way, or of a nearer one before it. */
    function reached(slot: number): number {
      const own = distance(originals, points, slot * d, d);
      const others = state.rank > 0 && state.rank < walk.starts;
      return others ? Math.min(own, distance(originals, state.best, slot * d, d)) : own;
    }

    /** Keeps of each sample the start that came nearer; after the last rank the attack goes on from there. */
    function endRank(): void {
      for (let slot = 0; slot < size; slot++) {
        if (group.outcome[slot] !== -1 || state.racing[slot] === 0) continue;
        const [from, to] = [slot * d, (slot + 1) * d];
        const nearer = distance(originals, points, from, d) < distance(originals, state.best, from, d);
        if (state.rank > 0 && !nearer) continue;
        state.best.set(points.subarray(from, to), from);
        state.start[slot] = startKinds.indexOf(descent ? 'ddn' : state.starts[slot]![state.rank]!.start);
      }
      state.rank++;
      const more = group.running((slot) => state.rank < state.starts[slot]!.length).includes(1);
      if (more) beginRank();
      else {
        state.rank = walk.starts;
        points.set(state.best);
        state.iteration = heats;
      }
    }
  }

  return {
    start: () => ({
      phase: 'start',
      iteration: 0,
      unit: 0,
      descent: null,
      starting: null,
      starts: Array.from({ length: size }, () => []),
      rank: 0,
      racing: new Uint8Array(size),
      start: new Int8Array(size),
      best: new Float32Array(size * d),
      sums: null,
    }),
    search,
    fields: ({ start }, slot) => ({ iterations, start: startKinds[start[slot]!]! }),
  };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function copyOf(state: WalkState): Mutable<WalkState> {
  const { sums } = state;
  return {
    ...state,
    racing: state.racing.slice(),
    start: state.start.slice(),
    best: state.best.slice(),
    sums: sums && {
      changed: sums.changed.slice(),
      broken: sums.broken.slice(),
      overChanged: sums.overChanged.slice(),
      overAll: sums.overAll.slice(),
    },
  };
}
