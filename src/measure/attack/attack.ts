import type { Box } from '../../data/dataset.js';
import { samplesInput } from '../../data/fingerprint.js';
import { labelsAt } from '../../data/sample-check.js';
import { WeirError } from '../../flow/errors.js';
import { checkChoice, checkCounts, type OptionKeys } from '../../flow/options.js';
import { type StageOperator, type Step, stage } from '../../flow/stage.js';
import type { Model } from '../../learn/model/model.js';
import type { Update } from '../../learn/update.js';
import { byName, inputLength, type LabeledSamples, type Normalization, writeInput } from '../inputs.js';
import { correctOnes, LOOKED_AT, shuffled } from '../predictions.js';
import { checkInside, type Limits, limitsOf, usualBox } from './box.js';
import {
  attackGroup,
  curveOf,
  distance,
  type GroupState,
  type GroupTask,
  type SampleGroup,
  startGroup,
} from './group.js';
import { type AttackResult, attackOutcomes, attackRecord, type KeptImages } from './record.js';
import { type BoundsOptions, certified, certifiedTogether, type SlotResult } from './result-bounds.js';

/** The options of every attack. */
export interface AttackOptions {
  /** How many samples to attack. */
  readonly samples: number;
  readonly seed: number;
  /**
   * The values that an input may take, in the model's units, by channel where these differ; [−2, 2] for XOR. By default pixels from
   * 0 to 1, normalized where `normalize` says so (`usualBox`). Samples outside of it are refused.
   */
  readonly box?: Box;
  /** Samples attacked in step; groups are by position, so a resumed attack meets the same kernels. */
  readonly group?: number;
  /** Forward evaluations that may be spent on one sample. */
  readonly budget?: number;
  /** Take the samples in a random order keyed by the seed; else in that of the data. */
  readonly shuffle?: boolean;
  /**
   * `correct` passes over samples that the model gets wrong, so every network has as many; `all` reports them as already misclassified, so
   * every network has the same.
   */
  readonly choose?: 'correct' | 'all';
  readonly normalize?: Normalization;
  /** 'all': the images of every sample are kept in the run's folder, 8 bytes a value; 'first': those of the first 12 samples. */
  readonly keepImages?: KeptImages;
  /**
   * Bounds beside each result, the rigorous one the best of `methods` and Lemma 1. `lower` ≤ Δx is held: a violation ends the run. Every
   * sample costs its own bounds, for MLPs as much as a second. 'crown': of networks of dense layers plain CROWN for a group at once, a
   * hundredth of that, and Lemma 1; without a local estimate.
   */
  readonly certificate?: boolean | 'crown' | BoundsOptions;
}

/** The same as a table for `checkOptions`; an attack adds its own. */
export const attackOptionKeys: OptionKeys<AttackOptions> = {
  samples: 'required',
  seed: 'required',
  box: 'optional',
  group: 'optional',
  budget: 'optional',
  shuffle: 'optional',
  choose: 'optional',
  normalize: 'optional',
  certificate: 'optional',
  keepImages: 'optional',
};

/** What an attack is built from: the model, the samples by index, and the checked options. */
export interface AttackSetting {
  readonly model: Model;
  readonly samples: LabeledSamples;
  /** Values in one sample. */
  readonly d: number;
  readonly box: Limits;
  readonly group: number;
  /** A sample in the units of the model. */
  input(index: number): Float32Array;
}

/**
 * An attack: its search and nothing else. Bounds, the criterion (another class than that of the original), budget, ledger of queries,
 * groups by position, resumption and verification are those of `attackStage`.
 *
 * @example
 * const corner = ({ box, group: size }: AttackSetting): AttackMethod<{ readonly done: boolean }> => ({
 *   start: () => ({ done: false }),
 *   fields: () => ({ iterations: 1 }),
 *   *search(group) {
 *     const wanted = group.running((slot) => group.afford(slot, 1 + HALVINGS));
 *     for (let slot = 0; slot < size; slot++) group.row(group.points, slot).set(box.upper);
 *     const found = group.flips(group.points, wanted);
 *     for (let slot = 0; slot < size; slot++) {
 *       if (group.outcome[slot] === -1 && found[slot] === 0) group.end(slot, 'never-flipped');
 *     }
 *     group.toBoundary(found);
 *     yield { done: true };
 *   },
 * });
 */
export interface AttackMethod<S> {
  /** The search's state for one group. Plain data, never changed. */
  start(): S;
  /**
   * Moves `group.points` from the originals to adversarial points and yields its state after every bounded slice of work; a sample
   * without one is ended by `group.end`. Called with any of these states, and the group as it was then, it must go on to the same bits.
   */
  search(group: SampleGroup, state: S): Generator<S>;
  /** Further fields of a result. */
  fields(state: S, slot: number): Pick<AttackResult, 'iterations' | 'start' | 'epsilon'>;
}

/** An update whose network may have a readout that was fitted anew (`readout`). */
export type AttackedUpdate = Update & { readonly readout?: 'refitted' };

/** Where an attack stands: at rest, choosing its samples, or at one of its groups. */
export type AttackState<S> = { readonly phase: 'rest' } | SamplesChosen | GroupAttacked<S>;

export interface SamplesChosen {
  readonly phase: 'choose';
  /** Samples classified so far, in the order of the attack. */
  readonly scanned: number;
  /** Those to attack, by index. */
  readonly chosen: Uint32Array;
}

export interface GroupAttacked<S> {
  readonly phase: 'attack';
  readonly chosen: Uint32Array;
  readonly group: number;
  readonly at: GroupState<S>;
  /** 1 for each sample of the group whose result has been handed on. */
  readonly emitted: Uint8Array;
}

/**
 * The stage of an attack, which every attack shares: for the first samples that each update's network classifies correctly, an
 * adversarial point and its distance.
 *
 *   updates   -------------A|
 *   attack    ---------------1-2-3-…|    one result a sample, those of a group close together
 *
 * Bound: one group on the device; the engine breathes after each step of the search. Order: groups in order; in a group as samples
 * end. State: `AttackState`, plain data; going on from any yield gives the same bits. Failure: samples that the model does not take,
 * or outside of the box; a distance below its certificate. What else happens to a single sample is its outcome.
 *
 * @param name of the stage, in the graph and in errors
 * @param make builds the attack once the samples and the box are checked
 * @throws {WeirError} for options and samples that it cannot work with
 * @example
 * const standing = (model: Model, samples: LabeledSamples, options: AttackOptions) =>
 *   attackStage('standing', attackRecord('standing'), model, samples, options, () => ({
 *     start: () => ({ done: false }),
 *     fields: () => ({ iterations: 0 }),
 *     *search(group) {
 *       for (let slot = 0; slot < group.size; slot++) if (group.outcome[slot] === -1) group.end(slot, 'never-flipped');
 *       yield { done: true };
 *     },
 *   }));
 */
export function attackStage<S>(
  name: string,
  record: ReturnType<typeof attackRecord>,
  model: Model,
  given: LabeledSamples,
  options: AttackOptions,
  make: (setting: AttackSetting) => AttackMethod<S>,
): StageOperator<AttackedUpdate, AttackResult, AttackState<S>> {
  const { seed, group: size = 16, budget = Number.POSITIVE_INFINITY, shuffle = true, choose = 'correct' } = options;
  const { keepImages = 'all' } = options;
  const { normalize, certificate = false, box: bounds = usualBox(normalize, given.box) } = options;
  const samples = byName(name, model, given);
  const d = inputLength(name, model, samples);
  checkCounts(`stage '${name}'`, {
    samples: options.samples,
    group: size,
    ...(budget !== Number.POSITIVE_INFINITY && { budget }),
  });
  const box = limitsOf(name, bounds, d);
  checkInside(name, samples, box, bounds, normalize);
  if (typeof certificate === 'string') checkChoice(`stage '${name}'`, 'certificate', certificate, ['crown']);
  const certify =
    certificate === false
      ? undefined
      : certificate === 'crown'
        ? certifiedTogether(name, model, size)
        : certified(name, model, certificate === true ? {} : certificate, seed);
  const input = (index: number): Float32Array => {
    const row = new Float32Array(d);
    writeInput(samples, index, row, 0, normalize);
    return row;
  };
  if (keepImages !== 'all' && keepImages !== 'first') {
    throw new WeirError(`${name} was given keepImages = ${JSON.stringify(keepImages)}`, "give 'all' or 'first'");
  }
  const attack = make({ model, samples, d, box, group: size, input });

  const order = (): Uint32Array =>
    shuffle ? shuffled(samples.size, seed) : Uint32Array.from({ length: samples.size }, (_, i) => i);
  const indicesOf = (chosen: Uint32Array, group: number): Uint32Array =>
    chosen.subarray(group * size, (group + 1) * size);
  const begin = (chosen: Uint32Array, group: number): GroupAttacked<S> => ({
    phase: 'attack',
    chosen,
    group,
    at: startGroup(size, indicesOf(chosen, group).length, d, attack.start()),
    emitted: new Uint8Array(size),
  });

  const task = ({ weights }: Update, chosen: Uint32Array, group: number): GroupTask => {
    const indices = indicesOf(chosen, group);
    const originals = new Float32Array(size * d);
    indices.forEach((index, slot) => {
      writeInput(samples, index, originals, slot * d, normalize);
    });
    return { model, weights, box, budget, indices, chosen, originals, labels: labelsAt(samples.labels, indices) };
  };

  const result = (update: AttackedUpdate, { chosen, group, at }: GroupAttacked<S>, slot: number): AttackResult => {
    const index = indicesOf(chosen, group)[slot]!;
    const original = input(index);
    const adversarialLabel = at.adversarialLabel[slot]!;
    const adversarial = adversarialLabel === -1 ? new Float32Array(0) : at.points.slice(slot * d, (slot + 1) * d);
    const away = adversarialLabel === -1 ? Number.NaN : distance(original, adversarial);
    return {
      position: update.position,
      number: update.number,
      epoch: update.epoch,
      index,
      label: samples.labels[index]!,
      predicted: at.predicted[slot]!,
      adversarialLabel,
      outcome: attackOutcomes[at.outcome[slot]!]!,
      distance: away,
      ...(normalize && { pixelDistance: pixelDistance(original, adversarial, normalize) }),
      queries: at.queries[slot]!,
      curve: curveOf(at.curves[slot]!, at.queries[slot]!, away),
      total: chosen.length,
      kind: record.kind,
      box: bounds,
      ...(samples.normalization && { standardized: true }),
      ...(choose === 'all' && { choose }),
      ...(update.readout && { readout: update.readout }),
      ...attack.fields(at.search, slot),
      original,
      adversarial,
    };
  };

  return stage<AttackedUpdate, AttackResult, AttackState<S>>({
    name,
    record: keepImages === 'all' ? record : attackRecord(record.name, record.kind, keepImages),
    claims: 'weights',
    inputs: [samplesInput(given)],
    introduce: samples.introduce,
    start: () => ({ phase: 'rest' }),

    *next(from, update): Generator<Step<AttackState<S>, AttackResult>> {
      let state: SamplesChosen | GroupAttacked<S> =
        from.phase === 'rest' ? { phase: 'choose', scanned: 0, chosen: new Uint32Array(0) } : from;
      const indices = order();
      const complete =
        certify?.(update.weights) ?? ((results: readonly SlotResult[]) => results.map(({ result }) => result));

      while (state.phase === 'choose') {
        const { scanned, chosen } = state;
        if (chosen.length >= options.samples || scanned >= samples.size) {
          state = begin(chosen.slice(0, options.samples), 0);
          break;
        }
        const upTo = Math.min(scanned + LOOKED_AT, samples.size);
        const more =
          choose === 'all'
            ? indices.subarray(scanned, upTo)
            : correctOnes(model, update.weights, samples, indices, scanned, normalize);
        state = { phase: 'choose', scanned: upTo, chosen: Uint32Array.from([...chosen, ...more]) };
        yield [state];
      }

      while (state.phase === 'attack') {
        const { chosen, group } = state;
        const count = indicesOf(chosen, group).length;
        if (count === 0) break;
        let now: GroupAttacked<S> = state;
        const finished = function* (): Generator<Step<AttackState<S>, AttackResult>> {
          const ended = Array.from({ length: count }, (_, slot) => slot).filter(
            (slot) => now.at.outcome[slot] !== -1 && now.emitted[slot] === 0,
          );
          if (ended.length === 0) return;
          let done = 0;
          for (const completed of complete(ended.map((slot) => ({ slot, result: result(update, now, slot) })))) {
            now = { ...now, emitted: now.emitted.with(ended[done++]!, 1) };
            yield [now, completed];
          }
        };
        yield* finished(); // left between two results
        for (const at of attackGroup(task(update, chosen, group), attack.search, now.at)) {
          now = { ...now, at };
          yield [now];
          yield* finished();
        }
        state = begin(chosen, group + 1);
      }
      yield [{ phase: 'rest' }];
    },
  });
}

/** Length in units of the pixels that were normalized, channel by channel; NaN without an adversarial point. */
function pixelDistance(original: Float32Array, adversarial: Float32Array, { std }: Normalization): number {
  if (adversarial.length === 0) return Number.NaN;
  return Math.sqrt(
    original.reduce((sum, value, i) => sum + (std[i % std.length]! * (adversarial[i]! - value)) ** 2, 0),
  );
}
