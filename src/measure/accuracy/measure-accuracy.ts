import { samplesInput } from '../../data/input.js';
import type { Stage } from '../../flow/core-stage.js';
import type { Positioned } from '../../flow/item.js';
import type { Update } from '../../learn/learn-update.js';
import type { Model } from '../../learn/model/model-model.js';
import { tf } from '../../tensorflow/device-tf.js';
import { byName, inputLength, type LabeledSamples, type Normalization, writeInput } from '../measure-inputs.js';

/** How well the network of one update does on samples it may not have seen. */
export interface Accuracy extends Positioned {
  readonly number: number;
  readonly epoch: number;
  /** Part of the samples that are classified correctly, 0 to 1. */
  readonly accuracy: number;
  /** Mean cross-entropy, in nats. */
  readonly loss: number;
}

export interface AccuracyOptions {
  /** Samples a forward pass. */
  readonly batch?: number;
  readonly normalize?: Normalization;
}

/** Where the measurement stands: samples measured, how many were correct, and their summed loss. */
export type AccuracyState = { readonly done: number; readonly correct: number; readonly loss: number };

const REST: AccuracyState = { done: 0, correct: 0, loss: 0 };

/**
 * Accuracy and loss over a whole data set, on the weights of each update it is given.
 *
 * Bound: one batch on the device; the engine breathes after each. Order: that of the updates. State: sums so far.
 * Failure: samples that the model does not take. NaN logits count as wrong and make the loss NaN.
 *
 * @example updates$.pipe(every({ epochs: 5 }), stage(accuracy(model, test)))
 */
export function accuracy(
  model: Model,
  given: LabeledSamples,
  { batch = 500, normalize }: AccuracyOptions = {},
): Stage<Update, Accuracy, AccuracyState> {
  const samples = byName('accuracy', model, given);
  const length = inputLength('accuracy', model, samples);
  return {
    name: 'accuracy',
    claims: 'weights',
    inputs: [samplesInput(given)],
    introduce: samples.introduce,
    start: () => REST,
    *next(state, { position, number, epoch, weights }) {
      let { done, correct, loss } = state;
      while (done < samples.size) {
        const n = Math.min(batch, samples.size - done);
        const rows = new Float32Array(n * length);
        for (let i = 0; i < n; i++) writeInput(samples, done + i, rows, i * length, normalize);
        const logits = tf.tidy(() => model.logits(weights, tf.tensor(rows, [n, ...model.inputShape])));
        const values = logits.dataSync();
        logits.dispose();
        for (let i = 0; i < n; i++) {
          const row = Float64Array.from(values.subarray(i * model.classes, (i + 1) * model.classes));
          const label = samples.labels[done + i]!;
          const top = Math.max(...row);
          loss += Math.log(row.reduce((sum, value) => sum + Math.exp(value - top), 0)) + top - row[label]!;
          if (row.indexOf(top) === label) correct++;
        }
        done += n;
        if (done < samples.size) yield [{ done, correct, loss }];
      }
      yield [REST, { position, number, epoch, accuracy: correct / samples.size, loss: loss / samples.size }];
    },
  };
}
