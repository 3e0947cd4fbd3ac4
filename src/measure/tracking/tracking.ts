import { samplesInput } from '../../data/fingerprint.js';
import type { Positioned } from '../../flow/data.js';
import { WeirError } from '../../flow/errors.js';
import { checkOptions } from '../../flow/options.js';
import { type StageOperator, stage } from '../../flow/stage.js';
import type { Model } from '../../learn/model/model.js';
import type { Update } from '../../learn/update.js';
import { record, z } from '../../storage/record.js';
import { lengthOf, marginsOf, readoutOf } from '../certificate/bounds.js';
import { byName, inputLength, type LabeledSamples } from '../inputs.js';
import type { LogLine } from '../log.js';
import { crossEntropyOf, rowsOf } from '../predictions.js';

/** The terms of lemma 1's bound, for some samples at one moment of the training. */
export interface Track {
  readonly number: number;
  readonly epoch: number;
  readonly samples: readonly TrackedSample[];
}

export interface TrackedSample {
  readonly index: number;
  readonly label: number;
  /** θ_x, from −1 to 1; NaN where Φ(x) is 0 or two rows of the readout are the same. */
  readonly theta: number;
  /** ‖Φ(x)‖₂ */
  readonly featureNorm: number;
  /** Cross-entropy, in nats. */
  readonly loss: number;
}

/** The record of a track. */
export const trackRecord = record({
  name: 'tracking',
  role: 'measurement',
  fields: {
    samples: z.array(
      z.object({ index: z.int(), label: z.int(), theta: z.number(), featureNorm: z.number(), loss: z.number() }),
    ),
  },
});

export const trackIn = (line: LogLine): Track => ({
  number: Number(line.number),
  epoch: Number(line.epoch),
  samples: line.samples as unknown as readonly TrackedSample[],
});

export interface TrackingOptions {
  /** Which samples of the set, by their places in it; by default all. */
  readonly indices?: readonly number[];
}

/**
 * θ_x, ‖Φ(x)‖₂ and the cross-entropy of single samples on the weights of each update it is given (paper, figures A.3a and A.4).
 *
 * θ_x is the cosine of lemma 1, (W_c − W_k)Φ(x) / (‖W_c − W_k‖₂ ‖Φ(x)‖₂) for the sample's class c, at its least over the wrong
 * classes k. Lemma 1 is for a readout without biases, so they take no part, as in the paper's figures; the bound with them (A.1)
 * is what `certificate` gives.
 *
 * Bound: the samples in one pass. Order: that of the updates. State: none.
 * Failure: samples that the model does not take, or an index that there is not.
 *
 * @example updates$.pipe(every({ epochs: 1 }), tracking(model, test, { indices: [2, 11] }))
 */
export function tracking(
  model: Model,
  given: LabeledSamples,
  options: TrackingOptions = {},
): StageOperator<Update, Track & Positioned, null> {
  const { indices = Array.from({ length: given.size }, (_, i) => i) } = checkOptions('tracking', options, {
    indices: 'optional',
  });
  const name = 'tracking';
  const samples = byName(name, model, given);
  const length = inputLength(name, model, samples);
  checkIndices(name, samples, indices);
  return stage({
    name,
    record: trackRecord,
    claims: 'weights',
    inputs: [samplesInput(given)],
    introduce: samples.introduce,
    start: () => null,
    next(_, { position, number, epoch, weights }) {
      const readout = readoutOf(model, weights);
      const tracked = rowsOf(model, weights, samples, indices, length).map((row, i): TrackedSample => {
        const thetas = marginsOf(readout, row.features, row.logits, row.label).map(({ theta }) => theta);
        return {
          index: indices[i]!,
          label: row.label,
          theta: Math.min(...thetas),
          featureNorm: lengthOf(row.features),
          loss: crossEntropyOf(row),
        };
      });
      return [null, { position, number, epoch, samples: tracked }];
    },
  });
}

function checkIndices(stage: string, { name, size }: LabeledSamples, indices: readonly number[]): void {
  if (indices.length === 0) {
    throw new WeirError(`stage '${stage}' was given no samples to track`, 'name at least one in indices');
  }
  const odd = indices.find((index) => !(Number.isInteger(index) && index >= 0 && index < size));
  if (odd === undefined) return;
  throw new WeirError(
    `stage '${stage}' was to track sample ${odd} of '${name}'`,
    `indices are whole numbers from 0 to ${size - 1}`,
  );
}
