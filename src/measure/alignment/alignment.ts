import { samplesInput } from '../../data/fingerprint.js';
import type { Positioned } from '../../flow/data.js';
import { WeirError } from '../../flow/errors.js';
import { type StageOperator, stage } from '../../flow/stage.js';
import type { Model } from '../../learn/model/model.js';
import type { Update } from '../../learn/update.js';
import { quantity, record, z } from '../../storage/record.js';
import { marginsOf, readoutOf } from '../certificate/bounds.js';
import { byName, inputLength, type LabeledSamples } from '../inputs.js';
import type { LogLine } from '../log.js';
import { crossEntropyOf, type Prediction, rowsOf } from '../predictions.js';

/** The readout's weight vectors beside the features of their classes, at one moment of the training. */
export interface Alignment {
  readonly number: number;
  readonly epoch: number;
  /** Mean cross-entropy over the samples, in nats. */
  readonly loss: number;
  /** W_k, [classes][width]. */
  readonly weights: readonly (readonly number[])[];
  /** z_k, the mean of Φ(x) over the samples of class k, [classes][width]. */
  readonly features: readonly (readonly number[])[];
  /** cos(W_k, z_k) per class: lemma 2 says that they go to 1. */
  readonly cosines: readonly number[];
  /** Per class c, θ at z_c: cos(W_c − W_k, z_c), the smallest over k. */
  readonly thetas: readonly number[];
  /** The limits of lemma 3, where the z are a simplex: (1 − z_k·z_c) / ‖z_c − z_k‖, the smallest over k (A.16). */
  readonly thetaLimits: readonly number[];
}

const rows = z.array(z.array(z.number()));

/** The record of an alignment. */
export const alignmentRecord = record({
  name: 'alignment',
  role: 'measurement',
  fields: {
    loss: quantity({ scale: 'log', better: 'lower', headline: true }),
    weights: rows,
    features: rows,
    cosines: z.array(z.number()),
    thetas: z.array(z.number()),
    thetaLimits: z.array(z.number()),
  },
});

export const alignmentIn = (line: LogLine): Alignment => line as unknown as Alignment;

/**
 * The alignment of the readout with the features of its classes, on the weights of each update it is given (paper, A.3: figures
 * A.1 and A.2, lemmas 2 and 3).
 *
 * Bound: all samples in one pass. Order: that of the updates. State: none.
 * Failure: samples that the model does not take, or a class without a sample. A cosine with a vector of zeros is NaN.
 *
 * @example updates$.pipe(every({ epochs: 10 }), alignment(model, points))
 */
export function alignment(model: Model, given: LabeledSamples): StageOperator<Update, Alignment & Positioned, null> {
  const name = 'alignment';
  const samples = byName(name, model, given);
  const length = inputLength(name, model, samples);
  checkClasses(name, model, samples);
  const indices = Array.from({ length: samples.size }, (_, i) => i);
  const classes = Array.from({ length: model.classes }, (_, k) => k);
  return stage({
    name,
    record: alignmentRecord,
    claims: 'weights',
    inputs: [samplesInput(given)],
    introduce: samples.introduce,
    start: () => null,
    next(_, { position, number, epoch, weights: at }) {
      const rows = rowsOf(model, at, samples, indices, length);
      const readout = readoutOf(model, at);
      const features = classes.map((k) => meanOf(rows.filter(({ label }) => label === k)));
      const weights = classes.map((k) => features[k]!.map((_, i) => readout.kernel[i * model.classes + k]!));
      const none = new Float32Array(model.classes); // logits, which θ does not read
      return [
        null,
        {
          position,
          number,
          epoch,
          weights,
          features,
          loss: rows.reduce((sum, row) => sum + crossEntropyOf(row), 0) / rows.length,
          cosines: classes.map((k) => dot(weights[k]!, features[k]!) / (norm(weights[k]!) * norm(features[k]!))),
          thetas: classes.map((k) =>
            Math.min(...marginsOf(readout, Float32Array.from(features[k]!), none, k).map(({ theta }) => theta)),
          ),
          thetaLimits: classes.map((c) => Math.min(...classes.flatMap((k) => (k === c ? [] : limit(features, c, k))))),
        },
      ];
    },
  });
}

/** (1 − z_k·z_c) / ‖z_c − z_k‖ */
function limit(features: readonly (readonly number[])[], c: number, k: number): number {
  const [own, other] = [features[c]!, features[k]!];
  return (1 - dot(own, other)) / norm(own.map((value, i) => value - other[i]!));
}

function meanOf(rows: readonly Prediction[]): number[] {
  const width = rows[0]!.features.length;
  return Array.from(
    { length: width },
    (_, i) => rows.reduce((sum, { features }) => sum + features[i]!, 0) / rows.length,
  );
}

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

const norm = (a: readonly number[]): number => Math.sqrt(dot(a, a));

function checkClasses(stage: string, { classes }: Model, { name, labels }: LabeledSamples): void {
  const missing = Array.from({ length: classes }, (_, k) => k).find((k) => !labels.includes(k));
  if (missing === undefined) return;
  throw new WeirError(
    `stage '${stage}': '${name}' has no sample of class ${missing}, of ${classes}`,
    'give the model as many classes as the data have, each with a sample',
  );
}
