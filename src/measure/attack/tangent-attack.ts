import type { Box } from '../../data/dataset.js';
import { checkChoice, checkCounts, checkOptions } from '../../flow/options.js';
import { seeds } from '../../flow/random.js';
import type { StageOperator } from '../../flow/stage.js';
import type { Model } from '../../learn/model/model.js';
import { statelessNormal } from '../../tensorflow/ops/eager.js';
import type { LabeledSamples } from '../inputs.js';
import { nearestFirst, shuffled } from '../predictions.js';
import {
  type AttackedUpdate,
  type AttackMethod,
  type AttackOptions,
  type AttackSetting,
  type AttackState,
  attackOptionKeys,
  attackStage,
} from './attack.js';
import { DDN_GAMMA, decoupled } from './ddn.js';
import { distance, type SampleGroup } from './group.js';
import { perturbationScale, schedule, tangentStep } from './hemisphere.js';
import { type MinimumNormState, minimumNorm } from './minimum-norm.js';
import { type BoundaryPoints, dense, direct, type NormalSums, normalOf, noSums } from './normal.js';
import { type AttackResult, attackRecord, startKinds } from './record.js';
import {
  noStart,
  type Protocol,
  type StartPoint,
  type StartState,
  type StartTask,
  seekStarts,
  startPoint,
} from './start.js';

export interface TangentAttackOptions extends AttackOptions {
  /** T. */
  readonly iterations?: number;
  /** Forward evaluations that may be spent on one sample. Noise takes half of them at most, the choice among starts a tenth. */
  readonly budget?: number;
  readonly protocol?: Protocol;
  /** `ddn` starts from the point that DDN finds in `DDN_STEPS` steps, by gradients, in the place of the protocol's search for starts. */
  readonly start?: 'ddn';
  /** Draws in one forward pass, for models whose first layer is not dense. */
  readonly chunk?: number;
}

/** Where the search on one group stands. Plain data; arrays hold one entry, or one row of d, a sample. */
export type TangentState = {
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
  /** Which of its starts each sample pursues; `schedule.starts` when the nearest has been kept. */
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

/** The authors' box for images that are normalized: wider than any pixel can go, so their adversarial points may be no images. */
const AUTHORS: Box = { min: -3, max: 3 };

/**
 * Tangent Attack, hemisphere variant, untargeted, ℓ2 (Ma et al. 2021; paper, appendix D): for the first samples that each
 * update's network classifies correctly, an adversarial point nearby, and its distance. It asks for classes only, never for a gradient.
 *
 * Schedule and constants are those of the authors' code (`schedule`). The start is ours (`start.ts`), for on it hangs in which of
 * many local minima the attack ends: noise until it is found, the nearest images of the evaluation set that are predicted otherwise,
 * and of these up to three starts that are pursued for the first eighth of the iterations. `protocol: 'authors'` takes theirs: the
 * first of 5000 noisy points, else another attacked sample; and their box. Each result says the kind of its start. Further differences
 * from the authors' code: the draws for the normals are shared by all samples; the 1e-8 rule holds for each sample by itself; every
 * point is verified. The order of the samples, each one's noise and the draws for the normals are keyed by the seed and the sample's
 * own index or the iteration: so the result of a sample does not depend on which others are attacked (but for the authors' start).
 *
 * `start: 'ddn'` makes a white-box attack of it: each result says the start `ddn`, its queries count, and a sample that DDN does not flip is
 * `never-flipped`. The attack walks on from there by classes alone, and may end further away than it began.
 *
 * Bound, order, state, failure: those of `attackStage`; the engine breathes after each iteration, or each chunk of a model whose first
 * layer is not dense. The state is a few hundred kB.
 *
 * @example updates$.pipe(atEnd(), tangentAttack(model, test, { samples: 1000, seed }))
 */
export function tangentAttack(
  model: Model,
  samples: LabeledSamples,
  options: TangentAttackOptions,
): StageOperator<AttackedUpdate, AttackResult, AttackState<TangentState>> {
  checkOptions('tangentAttack', options, {
    iterations: 'optional',
    protocol: 'optional',
    start: 'optional',
    chunk: 'optional',
    ...attackOptionKeys,
  });
  const { iterations = schedule.iterations, chunk = 128, protocol = 'paper', start, normalize } = options;
  if (start !== undefined) checkChoice("stage 'tangent attack'", 'start', start, ['ddn']);
  const box = protocol === 'authors' && normalize ? { box: AUTHORS } : {};
  const record = attackRecord('Tangent Attack', start === 'ddn' ? 'white-box' : 'black-box');
  return attackStage('tangent attack', record, model, samples, { ...box, ...options }, (setting) => {
    checkCounts("stage 'tangent attack'", { iterations, chunk });
    return tangent(setting, { ...options, iterations, chunk, protocol });
  });
}

type Checked = TangentAttackOptions & Required<Pick<TangentAttackOptions, 'iterations' | 'chunk' | 'protocol'>>;

function tangent(
  setting: AttackSetting,
  { seed, iterations, chunk, protocol, start, normalize }: Checked,
): AttackMethod<TangentState> {
  const { model, samples, d, box, group: size, input } = setting;
  const heats = schedule.heats(iterations);
  const descent =
    start === 'ddn'
      ? minimumNorm('tangent attack', setting, { seed, iterations: DDN_STEPS }, decoupled(DDN_GAMMA))
      : undefined;

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
      seeds: (batch) => seeds(seed, 'tangent attack/start', own, batch),
      others: () => (protocol === 'authors' ? otherAttacked(chosen, own) : nearestFirst(samples, own, normalize)),
      input,
    };
  };

  function* search(group: SampleGroup, from: TangentState): Generator<TangentState> {
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
        const n = schedule.evaluations(i);
        const racing = state.rank < schedule.starts;
        const running = group.running((slot) => {
          if (i > (racing ? heats : iterations) || (racing && state.racing[slot] === 0)) return false;
          if (state.sums === null && !group.afford(slot, n + schedule.halvings)) group.spent[slot] = 1;
          return group.spent[slot] === 0;
        });
        if (!running.includes(1)) {
          if (!racing) return;
          endRank();
          yield copyOf(state);
          continue;
        }
        const scales = Float64Array.from({ length: size }, (_, slot) =>
          perturbationScale(i, box, distance(originals, points, slot * d, d), d),
        );
        const wanted = running.map((one, slot) => Number(one === 1 && scales[slot]! > 0)); // at x itself there is no normal
        const around: BoundaryPoints = { points, predicted: group.predicted, wanted, scales };
        const sums = state.sums ?? noSums(size, d);
        state.sums = sums;
        const units = estimator.units(n);
        const noise = (part: number, shape: readonly number[]) =>
          statelessNormal(shape, seeds(seed, 'tangent attack/normal', i, part));
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
        tangentStep(group, normals, i, running.slice());
        group.toBoundary(group.running((slot) => running[slot] === 1));
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
        const rest = schedule.queries(iterations) + schedule.queries(heats);
        const found = origin !== undefined || descent !== undefined; // the group's points are those of DDN
        state.racing[slot] = Number(found && (state.rank === 0 || group.afford(slot, rest)));
        if (state.racing[slot] === 0) return false;
        if (descent !== undefined) return false; // which has brought them to the boundary
        points.set(startPoint(startTask(group, slot), origin!), slot * d);
        if (!group.afford(slot, schedule.halvings)) group.spent[slot] = 1;
        return group.spent[slot] === 0;
      });
      group.toBoundary(wanted);
      state.iteration = 0;
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
        state.rank = schedule.starts;
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

function copyOf(state: TangentState): Mutable<TangentState> {
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
