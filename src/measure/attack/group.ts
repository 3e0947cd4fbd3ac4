import type { Labels } from '../../data/sample-check.js';
import type { Model, Weights } from '../../learn/model/model.js';
import { ask, leader, logitsOf } from '../predictions.js';
import type { Limits } from './box.js';
import { type AttackOutcome, attackOutcomes, type QueryCurve } from './record.js';

/** Halvings of a segment until the boundary is known to 2⁻¹⁷ < 10⁻⁵ of it. */
export const HALVINGS = 17;

/** The part of the largest logit by which an adversarial class must lead: a hundred times float32's rounding. */
const CLEAR = 2 ** -16;

/** Rounds in which a point on the boundary is moved: at the last to twice its distance. */
const ROUNDS = 10;

/** Where the attack on one group of samples stands. Plain data; arrays hold one entry, or one row of d, a sample. */
export type GroupState<S> = {
  readonly phase: 'predict' | 'search' | 'verify' | 'done';
  /** Class of each original; −1 where its logits are NaN. */
  readonly predicted: Int32Array;
  readonly adversarialLabel: Int32Array;
  readonly queries: Int32Array;
  /** −1 under way, else the index in `attackOutcomes`. */
  readonly outcome: Int8Array;
  /** 1 where the budget ended the search, and only the verification is left. */
  readonly spent: Uint8Array;
  /** How far the search has come with each sample, query by query. */
  readonly curves: readonly QueryCurve[];
  /** The adversarial point of each sample, as far as the search has come. */
  readonly points: Float32Array;
  /** The state of the attack's own search. */
  readonly search: S;
};

/** The properties of a group that its state does not hold: made again from the update and the options when a run goes on. */
export interface GroupTask {
  readonly model: Model;
  readonly weights: Weights;
  readonly box: Limits;
  readonly budget: number;
  /** Samples by their index in the data set, and all those that are attacked. */
  readonly indices: Uint32Array;
  readonly chosen: Uint32Array;
  /** [group, d]; rows past `labels` are zero. */
  readonly originals: Float32Array;
  readonly labels: Labels;
}

/** The first state of a group of `size` places, `count` of them taken, of samples with d values. */
export const startGroup = <S>(size: number, count: number, d: number, search: S): GroupState<S> => ({
  phase: 'predict',
  predicted: new Int32Array(size).fill(-1),
  adversarialLabel: new Int32Array(size).fill(-1),
  queries: new Int32Array(size),
  outcome: Int8Array.from({ length: size }, (_, slot) => (slot < count ? -1 : 0)), // empty places are ended
  spent: new Uint8Array(size),
  curves: Array.from({ length: size }, () => ({ queries: [], distance: [] })),
  points: new Float32Array(size * d),
  search,
});

/**
 * A group of samples under attack, as a search sees it: the model behind a ledger of queries. Every forward evaluation goes through it
 * or is counted with `count`.
 *
 * A search moves `points` and may end samples; those that it leaves are verified at their point.
 */
export class SampleGroup {
  readonly size: number;
  readonly d: number;
  readonly predicted: Int32Array;
  readonly adversarialLabel: Int32Array;
  readonly queries: Int32Array;
  readonly outcome: Int8Array;
  readonly spent: Uint8Array;
  readonly points: Float32Array;
  readonly #curves: QueryCurve[];

  constructor(
    readonly task: GroupTask,
    state: GroupState<unknown>,
  ) {
    this.size = state.outcome.length;
    this.d = state.points.length / this.size;
    this.predicted = state.predicted.slice();
    this.adversarialLabel = state.adversarialLabel.slice();
    this.queries = state.queries.slice();
    this.outcome = state.outcome.slice();
    this.spent = state.spent.slice();
    this.points = state.points.slice();
    this.#curves = [...state.curves];
  }

  /** 1 for each sample under way that is wanted. */
  running(wanted: (slot: number) => boolean = () => true): Uint8Array {
    return Uint8Array.from({ length: this.size }, (_, slot) => Number(this.outcome[slot] === -1 && wanted(slot)));
  }

  end(slot: number, outcome: AttackOutcome): void {
    this.outcome[slot] = attackOutcomes.indexOf(outcome);
  }

  /** Whether the sample may make so many more queries: one is kept for the verification. A search that may not go on sets `spent`. */
  afford(slot: number, queries: number): boolean {
    return this.queries[slot]! + queries < this.task.budget;
  }

  count(slot: number, queries: number): void {
    this.queries[slot]! += queries;
  }

  /** Notes that after the queries so far the search has an adversarial point at that distance: a point of the sample's curve. */
  trace(slot: number, away: number): void {
    this.#curves[slot] = curveOf(this.#curves[slot]!, this.queries[slot]!, away);
  }

  /** The row of a sample in values [group, d]. */
  row(values: Float32Array, slot: number): Float32Array {
    return values.subarray(slot * this.d, (slot + 1) * this.d);
  }

  original(slot: number): Float32Array {
    return this.row(this.task.originals, slot);
  }

  /**
   * The class of each wanted row of [group, d]. One forward pass over the whole group, always of the same shape, so that a point meets
   * the same kernel whenever it is evaluated; only wanted rows count as queries. A sample with NaN logits ends and is no longer wanted.
   */
  classes(rows: Float32Array, wanted: Uint8Array): Int32Array {
    const found = ask(this.task.model, this.task.weights, rows, wanted.length);
    for (let slot = 0; slot < wanted.length; slot++) {
      if (wanted[slot] !== 1) continue;
      this.count(slot, 1);
      if (found[slot] === -1) {
        this.end(slot, 'not-a-number');
        wanted[slot] = 0;
      }
    }
    return found;
  }

  /** The classes of n inputs, all for one sample. With NaN logits the sample ends. */
  classesFor(slot: number, rows: Float32Array, n: number): Int32Array {
    const found = ask(this.task.model, this.task.weights, rows, n);
    this.count(slot, n);
    if (found.includes(-1)) this.end(slot, 'not-a-number');
    return found;
  }

  /** 1 for each wanted row that changes its sample's class. */
  flips(rows: Float32Array, wanted: Uint8Array): Uint8Array {
    const found = this.classes(rows, wanted);
    return wanted.map((one, slot) => Number(one === 1 && found[slot] !== this.predicted[slot]));
  }

  /**
   * Moves each wanted point, adversarial, along the segment towards its original until the part of the segment that holds the boundary
   * is at most 10⁻⁵ of it; the adversarial end of that part stays (paper, appendix D, step 3). `HALVINGS` queries a sample.
   */
  toBoundary(wanted: Uint8Array): void {
    const { points, d } = this;
    const { originals } = this.task;
    const ends = points.slice();
    this.bisect(wanted, (slot, t, into) => {
      for (let at = slot * d, i = 0; i < d; i++, at++) into[i] = (1 - t) * originals[at]! + t * ends[at]!;
    });
  }

  /**
   * The same along any path from the original, t = 0, to the adversarial point, t = 1: `HALVINGS` queries a sample.
   *
   * @param path writes the point at t of the sample's path
   */
  bisect(wanted: Uint8Array, path: (slot: number, t: number, into: Float32Array) => void): void {
    const { points, size } = this;
    const left = new Float64Array(size);
    const right = new Float64Array(size).fill(1);
    const rows = points.slice();
    for (let halving = 0; halving < HALVINGS; halving++) {
      for (let slot = 0; slot < size; slot++) {
        if (wanted[slot] === 1) path(slot, (left[slot]! + right[slot]!) / 2, this.row(rows, slot));
      }
      const flipped = this.flips(rows, wanted);
      for (let slot = 0; slot < size; slot++) {
        const middle = (left[slot]! + right[slot]!) / 2;
        if (flipped[slot] === 1) right[slot] = middle;
        else left[slot] = middle;
      }
    }
    for (let slot = 0; slot < size; slot++) {
      if (wanted[slot] === 1 && right[slot]! < 1) path(slot, right[slot]!, this.row(points, slot));
    }
  }

  /**
   * Ends the samples that the search left, each at a point of another class that leads by more than `CLEAR`: a class that is ahead by
   * less is another one where a kernel or a batch rounds otherwise. A point that is nearer to the boundary moves away from its original,
   * by 10⁻⁶ of its distance at first and four times as far at each round, inside the box.
   *
   * A sample on the boundary has no such point nearby, nor has one without queries left: there the class at the first point counts.
   */
  verify(): void {
    const { model, weights, box, budget } = this.task;
    const left = this.running();
    const first = new Int32Array(this.size).fill(-1);
    const rows = this.points.slice();
    for (let round = 0; round <= ROUNDS && left.includes(1); round++) {
      const logits = logitsOf(model, weights, rows, this.size);
      for (let slot = 0; slot < this.size; slot++) {
        if (left[slot] !== 1) continue;
        this.count(slot, 1);
        const { label, lead } = leader(logits, slot * model.classes, model.classes, this.predicted[slot]!);
        if (round === 0) first[slot] = label;
        if (label === -1) this.end(slot, 'not-a-number');
        else if (lead > CLEAR) {
          this.row(this.points, slot).set(this.row(rows, slot));
          this.#found(slot, label);
        } else if (lead > -CLEAR && round < ROUNDS && this.queries[slot]! < budget) {
          const [own, point, next] = [this.original(slot), this.row(this.points, slot), this.row(rows, slot)];
          const t = 1 + 1e-6 * 4 ** round;
          for (let i = 0; i < this.d; i++) {
            next[i] = Math.min(Math.max(own[i]! + t * (point[i]! - own[i]!), box.lower[i]!), box.upper[i]!);
          }
          continue;
        } else if (lead > -CLEAR && first[slot] !== this.predicted[slot]) this.#found(slot, first[slot]!);
        else this.end(slot, 'unstable');
        left[slot] = 0;
      }
    }
  }

  #found(slot: number, label: number): void {
    this.adversarialLabel[slot] = label;
    this.end(slot, this.spent[slot] === 1 ? 'out-of-queries' : 'found');
  }

  /** A copy that later work does not change. */
  state<S>(phase: GroupState<S>['phase'], search: S): GroupState<S> {
    return {
      phase,
      predicted: this.predicted.slice(),
      adversarialLabel: this.adversarialLabel.slice(),
      queries: this.queries.slice(),
      outcome: this.outcome.slice(),
      spent: this.spent.slice(),
      curves: [...this.#curves],
      points: this.points.slice(),
      search,
    };
  }
}

/**
 * Attacks the samples of one group in step, one slice of bounded work after the other, and yields the state after each: predicts the
 * originals, searches, verifies.
 *
 * It may be left at any yield and begun again with that state: the rest is the same, if the search keeps to its own state.
 */
export function* attackGroup<S>(
  task: GroupTask,
  search: (group: SampleGroup, state: S) => Generator<S>,
  from: GroupState<S>,
): Generator<GroupState<S>> {
  const group = new SampleGroup(task, from);
  let { phase, search: state } = from;

  if (phase === 'predict') {
    const running = group.running();
    const found = group.classes(task.originals, running);
    for (let slot = 0; slot < group.size; slot++) {
      if (running[slot] !== 1) continue;
      group.predicted[slot] = found[slot]!;
      if (found[slot] !== task.labels[slot]) group.end(slot, 'already-misclassified');
    }
    phase = 'search';
    yield group.state(phase, state);
  }

  if (phase === 'search') {
    for (state of search(group, state)) yield group.state(phase, state);
    phase = 'verify';
    yield group.state(phase, state);
  }

  if (phase === 'verify') {
    group.verify();
    yield group.state('done', state);
  }
}

/** A curve with one more point, which is left out where it says nothing new: a NaN, or the distance before. Six digits, for the log. */
export function curveOf(curve: QueryCurve, queries: number, away: number): QueryCurve {
  const short = Number(away.toPrecision(6));
  if (Number.isNaN(away) || curve.distance.at(-1) === short) return curve;
  return { queries: [...curve.queries, queries], distance: [...curve.distance, short] };
}

/** ‖a − b‖₂ of the vectors of length `d` that begin at `offset` in both. */
export function distance(a: Float32Array, b: Float32Array, offset = 0, d = a.length): number {
  let sum = 0;
  for (let i = offset; i < offset + d; i++) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum);
}
