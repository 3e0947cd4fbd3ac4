import { samplesInput } from '../../data/fingerprint.js';
import type { Labels } from '../../data/sample-check.js';
import type { Positioned } from '../../flow/data.js';
import { checkOptions } from '../../flow/options.js';
import { type StageOperator, stage } from '../../flow/stage.js';
import type { Ensemble, EnsembleMember, EnsembleUpdate } from '../../learn/ensemble/ensemble.js';
import { memberRecords, type OfMember } from '../../learn/ensemble/members.js';
import { allocatePass, classOf, crossEntropyOf, forward } from '../../learn/ensemble/network.js';
import type { Loss } from '../../learn/loss/loss.js';
import type { Model } from '../../learn/model/model.js';
import type { Update } from '../../learn/update.js';
import { quantity, record } from '../../storage/record.js';
import { scoped, tf } from '../../tensorflow/tf.js';
import { byName, inputLength, type LabeledSamples, type Normalization, writeInput } from '../inputs.js';

/** The record of a test. */
export const accuracyRecord = record({
  name: 'accuracy',
  role: 'test',
  fields: {
    accuracy: quantity({ unit: 'fraction', better: 'higher', headline: true }),
    loss: quantity({ scale: 'log', better: 'lower' }),
  },
});

/** How well the network of one update does on samples it may not have seen. */
export interface Accuracy extends Positioned {
  readonly number: number;
  readonly epoch: number;
  /** Part of the samples that are classified correctly, 0 to 1. */
  readonly accuracy: number;
  /** Mean cross-entropy, in nats, or the mean of the loss that was asked for. */
  readonly loss: number;
}

export interface AccuracyOptions {
  /** Samples a forward pass. */
  readonly batch?: number;
  /** The loss to measure; by default the cross-entropy, without smoothing. */
  readonly loss?: Loss;
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
 * @example updates$.pipe(every({ epochs: 5 }), accuracy(model, test))
 */
export function accuracy(
  model: Model,
  given: LabeledSamples,
  options: AccuracyOptions = {},
): StageOperator<Update, Accuracy, AccuracyState> {
  const {
    batch = 500,
    loss: asked,
    normalize,
  } = checkOptions('accuracy', options, { batch: 'optional', loss: 'optional', normalize: 'optional' });
  const samples = byName('accuracy', model, given);
  const length = inputLength('accuracy', model, samples);
  return stage({
    name: 'accuracy',
    record: accuracyRecord,
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
        if (asked !== undefined) loss += n * meanLoss(asked, logits, samples.labels.subarray(done, done + n));
        logits.dispose();
        for (let i = 0; i < n; i++) {
          const row = Float64Array.from(values.subarray(i * model.classes, (i + 1) * model.classes));
          const label = samples.labels[done + i]!;
          const top = Math.max(...row);
          if (asked === undefined) {
            loss += Math.log(row.reduce((sum, value) => sum + Math.exp(value - top), 0)) + top - row[label]!;
          }
          if (row.indexOf(top) === label) correct++;
        }
        done += n;
        if (done < samples.size) yield [{ done, correct, loss }];
      }
      yield [REST, { position, number, epoch, accuracy: correct / samples.size, loss: loss / samples.size }];
    },
  });
}

const meanLoss = (loss: Loss, logits: tf.Tensor2D, labels: Labels): number =>
  scoped(() => {
    const given = tf.tensor1d(Int32Array.from(labels), 'int32');
    return (loss.scalar?.(logits, given) ?? loss.of(logits, given).value).dataSync()[0]!;
  });

/**
 * What `accuracy` measures, for every member of an ensemble on samples of its own, on the main thread: for small networks.
 *
 * Bound, order, state: those of `memberRecords`. Failure: samples that the members do not take. NaN logits make the loss NaN.
 *
 * @param samplesOf the samples of a member
 * @example ensembleUpdates$.pipe(every({ epochs: 50 }), memberAccuracy(networks, ({ seed }) => xor({ seed, noise: {} })))
 */
export function memberAccuracy(
  ensemble: Ensemble,
  samplesOf: (member: EnsembleMember, index: number) => LabeledSamples,
): StageOperator<EnsembleUpdate, OfMember<Pick<Accuracy, 'accuracy' | 'loss'>>, number> {
  const { layout, model } = ensemble;
  const given = ensemble.members.map(samplesOf);
  const samples = given.map((one) => byName('accuracy', model, one));
  const length = Math.max(...samples.map((one) => inputLength('accuracy', model, one)));
  const pass = allocatePass(layout);
  const x = new Float32Array(length);
  const measure = (update: EnsembleUpdate) => {
    const rows = ensemble.rows(update.weights);
    return (m: number) => {
      const own = samples[m]!;
      let correct = 0;
      let loss = 0;
      for (let i = 0; i < own.size; i++) {
        writeInput(own, i, x, 0);
        pass.inputs[0]!.set(x);
        forward(layout, rows, m * layout.parameters, pass);
        loss += crossEntropyOf(pass.logits, own.labels[i]!, { others: 0, total: 0 });
        if (classOf(pass.logits) === own.labels[i]) correct++;
      }
      return { accuracy: correct / own.size, loss: loss / own.size };
    };
  };
  return stage({
    ...memberRecords('accuracy', ensemble, measure, { record: accuracyRecord }),
    inputs: given.map((one) => samplesInput(one)),
    introduce(incoming) {
      for (const own of samples) own.introduce(incoming);
      return incoming;
    },
  });
}
