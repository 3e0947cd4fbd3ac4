import { labelsAt } from '../../data/class-names.js';
import { samplesInput } from '../../data/fingerprint.js';
import { WeirError } from '../../flow/errors.js';
import { seeds } from '../../flow/random.js';
import { type StageOperator, type Step, stage } from '../../flow/stage.js';
import type { Model, Weights } from '../../learn/model/model.js';
import type { Update } from '../../learn/update.js';
import { statelessNormal } from '../../tensorflow/ops/random.js';
import { type Certifier, type CertifierOptions, certifier } from '../certificate/certificate.js';
import { byNorm } from '../certificate/lipschitz.js';
import { byName, inputLength, type LabeledSamples, type Normalization, writeInput } from '../inputs.js';
import { correctOnes, LOOKED_AT, nearestFirst, shuffled } from '../predictions.js';
import { type Box, checkInside, limitsOf, usualBox } from './box.js';
import { attackGroup, type GroupState, type GroupTask, startGroup } from './group.js';
import { distance, schedule } from './hemisphere.js';
import { dense, direct } from './normal.js';
import { type AttackResult, attackOutcomes, attackRecord } from './record.js';
import { type Protocol, startKinds } from './start.js';

/** How the local estimate beside an attack is made. */
export type BoundsOptions = Pick<CertifierOptions, 'points' | 'steps'>;

/**
 * Puts Lemma 1's bounds beside what the attack found on a sample, in ℓ2, the local one with R = Δx; and holds them against each
 * other: an adversarial point nearer than the rigorous bound cannot be, so it ends the run.
 *
 * @returns for the weights under attack what completes one result after another
 * @throws {WeirError} for a model without parts or without a Jacobian
 */
export function certified(
  model: Model,
  options: BoundsOptions,
  seed: number,
): (weights: Weights) => (result: AttackResult) => AttackResult {
  const certify = certifier('tangent attack', model, { ...options, seed, local: ['l2'] });
  return (weights) => {
    let boundsOf: Certifier | undefined; // at the first result: the weights' constants may take seconds
    return (result) => {
      boundsOf ??= certify(weights);
      const { index, label, original, distance } = result;
      const found = !Number.isNaN(distance);
      const R = found ? byNorm(() => distance) : undefined;
      const { lower, local, theta, featureNorm } = boundsOf(original, label, index, R);
      if (found && distance < lower.l2) throw tooNear(model, index, distance, lower.l2);
      return { ...result, lower: lower.l2, local: local.l2, theta, featureNorm };
    };
  };
}

const tooNear = (model: Model, index: number, distance: number, lower: number): WeirError =>
  new WeirError(
    `stage 'tangent attack': sample ${index} has an adversarial point at a distance of ${distance}, nearer than its certified lower bound ${lower}`,
    `one of the two is wrong: see whether the parts of ${model.name} are what its feature map computes, and what weir doctor says of this machine`,
  );

export interface TangentAttackOptions {
  /** How many samples to attack. */
  readonly samples: number;
  readonly seed: number;
  /** T. */
  readonly iterations?: number;
  /**
   * The values that an input may take, in the model's units, by channel where these differ; [−2, 2] for XOR. By default pixels from
   * 0 to 1, normalized where `normalize` says so (`usualBox`). Samples outside of it are refused.
   */
  readonly box?: Box;
  /** Samples attacked in step; groups are by position, so a resumed attack meets the same kernels. */
  readonly group?: number;
  /** Forward evaluations that may be spent on one sample. Noise takes half of them at most, the choice among starts a tenth. */
  readonly budget?: number;
  readonly protocol?: Protocol;
  /** Take the samples in a random order keyed by the seed; else in that of the data. */
  readonly shuffle?: boolean;
  /** `correct` passes over samples that the model gets wrong; `all` reports them as already misclassified. */
  readonly choose?: 'correct' | 'all';
  readonly normalize?: Normalization;
  /** Draws in one forward pass, for models whose first layer is not dense. */
  readonly chunk?: number;
  /** Lemma 1's bounds beside each result, `lower` ≤ Δx held: a violation ends the run. Every sample costs its own local estimate. */
  readonly certificate?: boolean | BoundsOptions;
}

/** Where the attack stands: at rest, choosing its samples, or at one of its groups. */
export type AttackState = { readonly phase: 'rest' } | Choosing | Attacking;

interface Choosing {
  readonly phase: 'choose';
  /** Samples looked at so far, in the order of the attack. */
  readonly scanned: number;
  /** Those to attack, by index. */
  readonly chosen: Uint32Array;
}

interface Attacking {
  readonly phase: 'attack';
  readonly chosen: Uint32Array;
  /** Samples that were passed over because the model gets them wrong. */
  readonly passedOver: number;
  readonly group: number;
  readonly at: GroupState;
  /** 1 for each sample of the group whose result has been handed on. */
  readonly emitted: Uint8Array;
}

/**
 * Tangent Attack, hemisphere variant, untargeted, ℓ2 (Ma et al. 2021; paper, appendix D): for the first samples that each
 * update's network classifies correctly, an adversarial point nearby, and how far away it is.
 *
 * Schedule and constants are those of the authors' code (`schedule.ts`). The start is ours (`start.ts`), for on it hangs in which of
 * many local minima the attack ends: noise until it is found, the nearest images of the evaluation set that are predicted otherwise,
 * and of these up to three starts that are pursued for the first eighth of the iterations. `protocol: 'authors'` takes theirs: the
 * first of 5000 noisy points, else another attacked sample. Each result says what it was started from. Further differences from the
 * authors' code: the draws for the normals are shared by all samples; the 1e-8 rule holds for each sample by itself; every point is
 * verified. The order of the samples, each one's noise and the draws for the normals are keyed by the seed and the sample's own
 * index or the iteration: so what comes out of a sample does not depend on which others are attacked (but for the authors' start).
 *
 *   updates   -------------A|
 *   attack    ---------------1-2-3-…|    one result a sample, those of a group close together
 *
 * Bound: one group on the device; the engine breathes after each iteration, or each chunk of a model whose first layer is not
 * dense. Order: groups in order; in a group as samples end. State: `AttackState`, a few hundred kB of plain data; going on from
 * any yield gives the same bits. Failure: samples that the model does not take, a distance below its certificate; what else happens to
 * a single sample is its outcome.
 *
 * @example updates$.pipe(atEnd(), tangentAttack(model, test, { samples: 1000, seed }))
 */
export function tangentAttack(
  model: Model,
  given: LabeledSamples,
  options: TangentAttackOptions,
): StageOperator<Update, AttackResult, AttackState> {
  const { seed, iterations = schedule.iterations, group = 16 } = options;
  const { budget = Number.POSITIVE_INFINITY, protocol = 'paper', shuffle = true, choose = 'correct' } = options;
  const { normalize, chunk = 128, certificate = false } = options;
  const samples = byName('tangent attack', model, given);
  const d = inputLength('tangent attack', model, samples);
  counts({ samples: options.samples, iterations, group, budget, chunk });
  const { box = usualBox(normalize, protocol) } = options;
  const limits = limitsOf(box, d);
  checkInside(samples, limits, box, normalize);
  const bounds = certificate === false ? undefined : certified(model, certificate === true ? {} : certificate, seed);

  const order = (): Uint32Array =>
    shuffle ? shuffled(samples.size, seed) : Uint32Array.from({ length: samples.size }, (_, i) => i);
  const input = (index: number): Float32Array => {
    const row = new Float32Array(d);
    writeInput(samples, index, row, 0, normalize);
    return row;
  };
  const members = (chosen: Uint32Array, g: number): Uint32Array => chosen.subarray(g * group, (g + 1) * group);
  const begin = (chosen: Uint32Array, passedOver: number, g: number): Attacking => ({
    phase: 'attack',
    chosen,
    passedOver,
    group: g,
    emitted: new Uint8Array(group),
    at: startGroup(group, members(chosen, g).length, d),
  });

  /** The authors' code: the other attacked samples in random order, less those of the same class. */
  const otherAttacked = (chosen: Uint32Array, own: number): Uint32Array => {
    const others = chosen.filter((index) => samples.labels[index] !== samples.labels[own]);
    return shuffled(others.length, seed, 'others', own).map((place) => others[place]!);
  };

  const task = (update: Update, chosen: Uint32Array, g: number): GroupTask => {
    const indices = members(chosen, g);
    const originals = new Float32Array(group * d);
    indices.forEach((index, slot) => {
      writeInput(samples, index, originals, slot * d, normalize);
    });
    return {
      model,
      weights: update.weights,
      box: limits,
      iterations,
      budget,
      protocol,
      originals,
      labels: labelsAt(samples.labels, indices),
      estimator: model.first ? dense(model, model.first, group, limits) : direct(model, group, limits, chunk),
      noise: (iteration, part, shape) => statelessNormal(shape, seeds(seed, 'tangent attack/normal', iteration, part)),
      start: (slot) => ({
        seeds: (batch) => seeds(seed, 'tangent attack/start', indices[slot]!, batch),
        others: () =>
          protocol === 'authors'
            ? otherAttacked(chosen, indices[slot]!)
            : nearestFirst(samples, indices[slot]!, normalize),
        input,
      }),
    };
  };

  const result = (update: Update, chosen: Uint32Array, g: number, at: GroupState, slot: number): AttackResult => {
    const index = members(chosen, g)[slot]!;
    const original = input(index);
    const adversarialLabel = at.adversarialLabel[slot]!;
    const adversarial = adversarialLabel === -1 ? new Float32Array(0) : at.points.slice(slot * d, (slot + 1) * d);
    return {
      position: update.position,
      number: update.number,
      epoch: update.epoch,
      index,
      label: samples.labels[index]!,
      predicted: at.predicted[slot]!,
      adversarialLabel,
      outcome: attackOutcomes[at.outcome[slot]!]!,
      distance: adversarialLabel === -1 ? Number.NaN : distance(original, adversarial),
      queries: at.queries[slot]!,
      total: chosen.length,
      iterations,
      box,
      start: startKinds[at.start[slot]!]!,
      original,
      adversarial,
    };
  };

  return stage({
    name: 'tangent attack',
    record: attackRecord,
    claims: 'weights',
    inputs: [samplesInput(given)],
    introduce: samples.introduce,
    start: () => ({ phase: 'rest' }),

    *next(from, update): Generator<Step<AttackState, AttackResult>> {
      if (from.phase === 'attack' && from.at.starts === undefined) throw olderBuild();
      let state: Choosing | Attacking =
        from.phase === 'rest' ? { phase: 'choose', scanned: 0, chosen: new Uint32Array(0) } : from;
      const places = order();
      const complete = bounds?.(update.weights) ?? ((one: AttackResult) => one);

      while (state.phase === 'choose') {
        const { scanned, chosen } = state;
        if (chosen.length >= options.samples || scanned >= samples.size) {
          const kept = chosen.slice(0, options.samples);
          state = begin(kept, choose === 'all' ? 0 : passed(places, scanned, chosen, kept), 0);
          break;
        }
        const upTo = Math.min(scanned + LOOKED_AT, samples.size);
        const more =
          choose === 'all'
            ? places.subarray(scanned, upTo)
            : correctOnes(model, update.weights, samples, places, scanned, normalize);
        state = { phase: 'choose', scanned: upTo, chosen: Uint32Array.from([...chosen, ...more]) };
        yield [state];
      }

      while (state.phase === 'attack') {
        const { chosen, passedOver, group: g } = state;
        const count = members(chosen, g).length;
        if (count === 0) break;
        let attack: Attacking = state;
        const finished = function* (): Generator<Step<AttackState, AttackResult>> {
          for (let slot = 0; slot < count; slot++) {
            if (attack.at.outcome[slot] === -1 || attack.emitted[slot] === 1) continue;
            attack = { ...attack, emitted: attack.emitted.with(slot, 1) };
            yield [attack, complete(result(update, chosen, g, attack.at, slot))];
          }
        };
        yield* finished(); // left between two results
        for (const at of attackGroup(task(update, chosen, g), attack.at)) {
          attack = { ...attack, at };
          yield [attack];
          yield* finished();
        }
        state = begin(chosen, passedOver, g + 1);
      }
      yield [{ phase: 'rest' }];
    },
  });
}

const olderBuild = (): WeirError =>
  new WeirError(
    "stage 'tangent attack': the snapshot is in the middle of an attack that an older Weir began, whose start gave distances that could be too long",
    'let the older Weir end the run, then attack its networks anew: weir attack RUN',
  );

/** How many samples came before the last chosen one without being chosen. */
function passed(order: Uint32Array, scanned: number, chosen: Uint32Array, kept: Uint32Array): number {
  const looked = kept.length < chosen.length ? order.indexOf(kept[kept.length - 1]!) + 1 : scanned;
  return looked - kept.length;
}

/** Every option that counts something is a whole number from 1 on; only the budget may be without limit. */
function counts(options: Readonly<Record<string, number>>): void {
  for (const [key, value] of Object.entries(options)) {
    const unlimited = key === 'budget' && value === Number.POSITIVE_INFINITY;
    if (unlimited || (Number.isInteger(value) && value >= 1)) continue;
    throw new WeirError(`stage 'tangent attack': ${key} is ${value}`, `give ${key} as a whole number from 1 on`);
  }
}
