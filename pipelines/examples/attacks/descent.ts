import { type Model, tf } from 'weir-engine';
import {
  type AttackOptions,
  attackRecord,
  attackStage,
  HALVINGS,
  type LabeledSamples,
  type SampleGroup,
} from 'weir-engine/attack';

/** Steps done, and 1 for each sample whose class has changed: plain data, that a snapshot holds. */
type Descent = { readonly step: number; readonly crossed: Uint8Array };
const record = attackRecord('descent', 'white-box');

/**
 * An attack by gradients: every step goes a twentieth of the box's width along the gradient of the nearest wrong logit less the right one,
 * until the class changes; then the segment to the sample is searched for the boundary.
 * `attackStage` owns the rest: box, budget, resumption, and the check of every point.
 */
export const descent = (model: Model, samples: LabeledSamples, options: AttackOptions, steps = 40) =>
  attackStage<Descent>('descent', record, model, samples, options, ({ box, group: size }) => ({
    start: () => ({ step: 0, crossed: new Uint8Array(size) }),
    fields: () => ({ iterations: steps }),
    *search(group, from) {
      const crossed = from.crossed.slice();
      if (from.step === 0) group.points.set(group.task.originals);
      for (let step = from.step; step < steps; step++) {
        const running = group.running((slot) => crossed[slot] === 0 && group.afford(slot, 2 + HALVINGS));
        if (!running.includes(1)) break;
        const moved = tf.tidy(() => box.clip(uphill(group, box.width / 20)).dataSync<'float32'>());
        for (let slot = 0; slot < size; slot++) {
          if (running[slot] === 0) continue;
          group.row(group.points, slot).set(group.row(moved, slot));
          group.count(slot, 1); // a gradient is a query
        }
        const flipped = group.flips(group.points, running);
        group.toBoundary(flipped.slice());
        for (let slot = 0; slot < size; slot++) crossed[slot]! |= flipped[slot]!;
        yield { step: step + 1, crossed: crossed.slice() };
      }
      for (let slot = 0; slot < size; slot++) {
        if (group.outcome[slot] !== -1 || crossed[slot] === 1) continue;
        group.end(slot, group.afford(slot, 2 + HALVINGS) ? 'never-flipped' : 'out-of-queries');
      }
    },
  }));

/** The points a step further, [group, d]. */
function uphill({ task: { model, weights }, points, predicted, size, d }: SampleGroup, length: number) {
  const right = tf.oneHot(tf.tensor1d(predicted, 'int32'), model.classes);
  const margins = (x: tf.Tensor): tf.Tensor => {
    const logits = model.logits(weights, x);
    return tf.sum(tf.sub(tf.max(tf.sub(logits, tf.mul(right, 1e6)), 1), tf.sum(tf.mul(logits, right), 1)));
  };
  const x = tf.tensor(points, [size, ...model.inputShape]);
  const slopes = tf.reshape(tf.grad(margins)(x), [size, d]);
  const norms = tf.add(tf.sqrt(tf.sum(tf.square(slopes), 1, true)), 1e-12);
  return tf.add(tf.reshape(x, [size, d]), tf.mul(tf.div(slopes, norms), length));
}
