import { checkCounts, checkOptions } from '../../flow/options.js';
import type { StageOperator } from '../../flow/stage.js';
import { type Model, weight } from '../../learn/model/model.js';
import { tf } from '../../tensorflow/tf.js';
import { productsOf } from '../geometry/jacobian.js';
import type { LabeledSamples } from '../inputs.js';
import { type AttackedUpdate, type AttackOptions, type AttackState, attackOptionKeys, attackStage } from './attack.js';
import { HALVINGS, type SampleGroup } from './group.js';
import { type AttackResult, attackRecord } from './record.js';

export interface DeepFoolOptions extends AttackOptions {
  /** Steps, at most. */
  readonly iterations?: number;
  /** η: each step goes this part of itself too far, so that it crosses the boundary of a network that is not linear. */
  readonly overshoot?: number;
  /** Wrong classes that a step chooses among: those with the largest logits. */
  readonly candidates?: number;
}

/** Steps done, and 1 for each sample that has crossed the boundary. */
export type DeepFoolState = { readonly iteration: number; readonly crossed: Uint8Array };

const LEAST = 1e-4; // added to the length of a step, as in the authors' code: at the boundary itself it would be 0

/**
 * DeepFool, untargeted, ℓ2 (Moosavi-Dezfooli et al. 2016): each step goes to the nearest boundary of the network made linear at x_t. It
 * uses gradients, so it needs some hundred evaluations where the Tangent Attack needs ten thousand; its distances are upper bounds of Δx
 * too, and mostly the larger ones.
 *
 * With f_k = F_k − F_c and w_k = ∇f_k, c the class of the sample: k minimizes |f_k|/‖w_k‖₂, x_{t+1} = clip(x_t + (1 + η)(|f_k|/‖w_k‖₂ + 10⁻⁴) w_k/‖w_k‖₂).
 * Differences from the paper: every step is clipped to the box; in the end the segment to the sample is searched for the boundary. A
 * product with the Jacobian counts as one query.
 *
 * Bound, order, state, failure: those of `attackStage`, and a model without a Jacobian is refused; the engine breathes after each step.
 *
 * @example updates$.pipe(atEnd(), deepFool(model, test, { samples: 1000, seed }))
 */
export function deepFool(
  model: Model,
  samples: LabeledSamples,
  options: DeepFoolOptions,
): StageOperator<AttackedUpdate, AttackResult, AttackState<DeepFoolState>> {
  checkOptions('deepFool', options, {
    iterations: 'optional',
    overshoot: 'optional',
    candidates: 'optional',
    ...attackOptionKeys,
  });
  const name = 'deepfool';
  const { iterations = 50, overshoot = 0.02, candidates = 10 } = options;
  checkCounts(`stage '${name}'`, { iterations, candidates });
  const rivals = Math.min(candidates, model.classes - 1);
  const productsAt = productsOf(name, model);

  const queries = 1 + rivals; // of one step

  return attackStage(name, attackRecord('DeepFool', 'white-box'), model, samples, options, ({ box, group: size }) => {
    function* search(group: SampleGroup, from: DeepFoolState): Generator<DeepFoolState> {
      const { points, task } = group;
      const crossed = from.crossed.slice();
      if (from.iteration === 0) points.set(task.originals);

      for (let iteration = from.iteration; iteration < iterations; iteration++) {
        const running = group.running((slot) => {
          if (crossed[slot] === 1) return false;
          const affordable = group.afford(slot, queries + 1 + HALVINGS);
          if (!affordable) group.end(slot, 'out-of-queries');
          return affordable;
        });
        if (!running.includes(1)) break;
        const boundaries = nearestBoundaries(group, productsAt, rivals);
        for (let slot = 0; slot < size; slot++) {
          if (running[slot] !== 1) continue;
          group.count(slot, queries);
          const boundary = boundaries[slot];
          if (boundary === undefined) {
            group.end(slot, 'never-flipped'); // no direction leads anywhere
            running[slot] = 0;
            continue;
          }
          const point = group.row(points, slot);
          const step = (1 + overshoot) * (boundary.distance + LEAST);
          for (let i = 0; i < point.length; i++) {
            point[i] = Math.min(Math.max(point[i]! + step * boundary.direction[i]!, box.lower[i]!), box.upper[i]!);
          }
        }
        const flipped = group.flips(points, running);
        group.toBoundary(flipped.slice());
        for (let slot = 0; slot < size; slot++) if (flipped[slot] === 1) crossed[slot] = 1;
        yield { iteration: iteration + 1, crossed: crossed.slice() };
      }
      for (let slot = 0; slot < size; slot++) {
        if (group.outcome[slot] === -1 && crossed[slot] === 0) group.end(slot, 'never-flipped');
      }
    }

    return { start: () => ({ iteration: 0, crossed: new Uint8Array(size) }), search, fields: () => ({ iterations }) };
  });
}

interface Boundary {
  readonly distance: number;
  /** Of length 1. */
  readonly direction: Float32Array;
}

/** The nearest boundary of each sample of the network made linear at its point; undefined where the network is flat. */
function nearestBoundaries(
  group: SampleGroup,
  productsAt: ReturnType<typeof productsOf>,
  rivals: number,
): (Boundary | undefined)[] {
  const { size, task, points } = group;
  const { model, weights } = task;
  const x = tf.tensor(points, [size, ...model.inputShape]);
  const products = productsAt(weights, x);
  const logits = model.logits(weights, x);
  const values = logits.dataSync<'float32'>();
  const kernel = tf.tidy(() => tf.transpose(weight<tf.Tensor2D>(weights, model.readout.kernel))); // [classes, width]
  const own = group.predicted.map((label) => Math.max(0, label)); // empty places have none
  const logit = (slot: number, k: number): number => values[slot * model.classes + k]!;
  const others = Array.from(own, (c, slot) =>
    Array.from({ length: model.classes }, (_, k) => k)
      .filter((k) => k !== c)
      .sort((a, b) => logit(slot, b) - logit(slot, a) || a - b),
  );
  const nearest = new Array<Boundary | undefined>(size).fill(undefined);
  for (let r = 0; r < rivals; r++) {
    const rival = Int32Array.from(others, (classes) => classes[r]!);
    const gradient = tf.tidy(() => {
      const rows = (classes: Int32Array) => tf.gather(kernel, tf.tensor1d(classes, 'int32'));
      return products.backward(tf.sub(rows(rival), rows(own)) as tf.Tensor2D);
    });
    const w = gradient.dataSync<'float32'>();
    gradient.dispose();
    for (let slot = 0; slot < size; slot++) {
      const row = group.row(w, slot);
      const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
      const f = (logit(slot, rival[slot]!) - logit(slot, own[slot]!)) / (model.readout.factor ?? 1);
      const distance = Math.abs(f) / length;
      if (distance < (nearest[slot]?.distance ?? Number.POSITIVE_INFINITY))
        nearest[slot] = { distance, direction: row.map((value) => value / length) };
    }
  }
  products.dispose();
  tf.dispose([x, logits, kernel]);
  return nearest;
}
