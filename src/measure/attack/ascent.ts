import { keyed } from '../../flow/random.js';
import type { AttackMethod, AttackSetting } from './attack.js';
import { inputGradients } from './gradient.js';
import { distance, HALVINGS, type SampleGroup } from './group.js';
import { classOf, type MinimumNorm, move, norm } from './minimum-norm.js';

/** Where the search on one group stands, rows of [group, d] and numbers by sample. The group's points are those that were found. */
export type ApgdState = {
  restart: number;
  /** t, steps done in this restart. */
  step: number;
  /** x_t and x_{t−1} */
  readonly x: Float32Array;
  readonly before: Float32Array;
  /** The point of the largest loss in this restart, and its gradient. */
  readonly best: Float32Array;
  readonly bestGradient: Float32Array;
  /** η */
  readonly size: Float64Array;
  /** f(x_t), the largest so far, and that at the last checkpoint. */
  readonly loss: Float64Array;
  readonly most: Float64Array;
  readonly mostThen: Float64Array;
  /** Steps since the last checkpoint that raised the loss, and whether η was halved there. */
  readonly rises: Int32Array;
  readonly halved: Uint8Array;
  readonly found: Uint8Array;
};

const QUERIES = 2; // of a step: a forward pass and a product with the Jacobian
const FINISH = 1 + HALVINGS; // its point confirmed, and brought to the boundary
const MOMENTUM = 0.75; // α
const RISES = 0.75; // ρ
const INSIDE = 1 - 1e-6; // of ε: what float32 rounds of a point on the sphere leaves it inside

/** The choices of a search: ε, steps of each of the restarts, and the seed of the starts. */
export interface Ascent {
  readonly epsilon: number;
  readonly steps: number;
  readonly restarts: number;
  readonly seed: number;
}

/**
 * The search of APGD, uphill in the loss within the ball of radius ε (Croce & Hein 2020, algorithm 1).
 *
 * @param f the loss: ∂f/∂logits of one sample into the last argument, for a loss that grows out of its class @returns its value
 */
export function ascent(
  { model, box, group: size, d }: AttackSetting,
  f: MinimumNorm['loss'],
  { epsilon, steps, restarts, seed }: Ascent,
): AttackMethod<ApgdState> {
  const gradientsAt = inputGradients('apgd', model);
  const { classes } = model;
  const spans = checkpoints(steps);
  const radius = epsilon * INSIDE;
  const rows = () => new Float32Array(size * d);
  const start = (restart = 0, found: Uint8Array = new Uint8Array(size)): ApgdState => ({
    ...{ restart, step: 0, found, x: rows(), before: rows(), best: rows(), bestGradient: rows() },
    size: new Float64Array(size).fill(2 * epsilon),
    loss: new Float64Array(size),
    most: new Float64Array(size).fill(Number.NEGATIVE_INFINITY),
    mostThen: new Float64Array(size).fill(Number.NEGATIVE_INFINITY),
    rises: new Int32Array(size),
    halved: new Uint8Array(size),
  });

  function* search(group: SampleGroup, from: ApgdState): Generator<ApgdState> {
    const { originals, weights, indices } = group.task;
    for (let now = structuredClone(from); now.restart < restarts; now = start(now.restart + 1, now.found)) {
      if (now.step === 0) {
        now.x.set(originals);
        for (const [slot, index] of indices.entries()) {
          const numbers = keyed(seed, 'apgd/start', index, now.restart);
          const away = Float64Array.from({ length: d }, () => numbers.normal());
          move(group.row(now.x, slot), group.original(slot), away, 2 * (radius / norm(away)), radius, 'ball', box);
        }
        now.before.set(now.x);
      }
      while (now.step <= steps) {
        const running = group.running((slot) => {
          if (now.found[slot] === 0 && !group.afford(slot, QUERIES + FINISH)) group.spent[slot] = 1;
          return now.found[slot] === 0 && group.spent[slot] === 0;
        });
        if (!running.includes(1)) break;
        const losses = new Float64Array(size);
        const { logits, gradients } = gradientsAt(weights, now.x, size, (values, first) => {
          const into = new Float32Array(values.length);
          for (let at = 0, slot = first; at < values.length; at += classes, slot++) {
            if (running[slot] !== 1) continue;
            const own = values.subarray(at, at + classes);
            losses[slot] = f(own, group.predicted[slot]!, into.subarray(at, at + classes));
          }
          return into;
        });
        const flipped = running.map((one, slot) => {
          if (one === 0) return 0;
          group.count(slot, QUERIES);
          const label = classOf(logits, slot * classes, classes);
          if (label === -1 || !Number.isFinite(norm(group.row(gradients, slot)))) group.end(slot, 'not-a-number');
          return Number(group.outcome[slot] === -1 && label !== group.predicted[slot]);
        });
        const confirmed = flipped.includes(1) ? group.flips(now.x, flipped) : flipped;
        for (let slot = 0; slot < size; slot++) {
          if (running[slot] === 0 || group.outcome[slot] !== -1) continue;
          if (confirmed[slot] === 1) {
            now.found[slot] = 1;
            group.row(group.points, slot).set(group.row(now.x, slot));
            group.trace(slot, distance(group.original(slot), group.row(now.x, slot)));
          } else advance(group, now, slot, losses[slot]!, gradients);
        }
        now.step++;
        yield structuredClone(now);
      }
      if (now.restart + 1 === restarts || group.running((slot) => now.found[slot] === 0).every((one) => one === 0)) {
        return finish(group, now.found);
      }
    }
  }

  /** Checkpoint and step of one sample, from its loss at x_t. */
  function advance(group: SampleGroup, now: ApgdState, slot: number, loss: number, gradients: Float32Array): void {
    const { step: t, size: eta, most, mostThen, rises, halved } = now;
    const [x, before, best, gradient, bestGradient] = [now.x, now.before, now.best, gradients, now.bestGradient].map(
      (values) => group.row(values, slot),
    ) as [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
    if (t > 0 && loss > now.loss[slot]!) rises[slot]!++;
    now.loss[slot] = loss;
    if (loss > most[slot]!) {
      most[slot] = loss;
      best.set(x);
      bestGradient.set(gradient);
    }
    const span = spans.get(t);
    if (span !== undefined) {
      const stuck = halved[slot] === 0 && mostThen[slot] === most[slot];
      halved[slot] = Number(rises[slot]! < RISES * span || stuck);
      if (halved[slot] === 1) {
        eta[slot]! /= 2;
        x.set(best);
        gradient.set(bestGradient);
        now.loss[slot] = most[slot]!;
      }
      mostThen[slot] = most[slot]!;
      rises[slot] = 0;
    }
    const own = group.original(slot);
    const slope = norm(gradient);
    const z = x.slice();
    move(z, own, gradient, slope > 0 ? eta[slot]! / slope : 0, radius, 'ball', box);
    const alpha = t === 0 ? 1 : MOMENTUM;
    const way = Float64Array.from(x, (value, i) => alpha * (z[i]! - value) + (1 - alpha) * (value - before[i]!));
    before.set(x);
    move(x, own, way, 1, radius, 'ball', box);
  }

  return { start, search, fields: () => ({ iterations: steps * restarts, epsilon }) };
}

/** The steps w_j of the checkpoints, and how many lie between each and the one before it (section 3). */
function checkpoints(steps: number): ReadonlyMap<number, number> {
  const spans = new Map<number, number>();
  for (let [before, at, last] = [0, 0.22, 0]; at <= 1; [before, at] = [at, at + Math.max(at - before - 0.03, 0.06)]) {
    const step = Math.ceil(at * steps);
    if (step > last) spans.set(step, step - last);
    last = step;
  }
  return spans;
}

/** Brings the points that were found to the boundary, and ends the other samples. */
function finish(group: SampleGroup, found: Uint8Array): void {
  for (let slot = 0; slot < group.size; slot++) {
    if (group.outcome[slot] !== -1 || found[slot] === 1) continue;
    group.end(slot, group.spent[slot] === 1 ? 'out-of-queries' : 'never-flipped');
  }
  if (found.includes(1)) group.toBoundary(found.slice());
}
