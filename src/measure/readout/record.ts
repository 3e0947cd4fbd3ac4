import { category, quantity, record, z } from '../../storage/record.js';
import type { AttackReport } from '../attack/attacked.js';
import { type LogLine, numberIn } from '../log.js';

/** An interval of a proportion. Plain data. */
export type Interval = { readonly lower: number; readonly upper: number };

/** The part of the test samples that is classified correctly, 0 to 1, with Wilson's 95 % interval. Plain data. */
export type TestedFraction = Interval & { readonly accuracy: number };

/** How a multinomial logistic regression on frozen features was fitted. */
export interface Fit {
  /** 'scikit-learn': by its default; 'converged'. */
  readonly fit: string;
  readonly iterations: number;
  /** After which it ends in any case. */
  readonly iterationLimit: number;
  readonly converged: boolean;
}

/** A readout that was fitted to the features of one update of a training. */
export interface OnlineReadout extends TestedFraction, Fit {
  readonly number: number;
  readonly epoch: number;
  /** Mean cross-entropy over the test samples, in nats. */
  readonly loss: number;
  /** Part of the training samples that it was fitted on and classifies correctly. */
  readonly trainAccuracy: number;
  /** Samples that it was fitted on. */
  readonly images: number;
  /** The same of the untrained network, update 0; null where that one was not measured. */
  readonly untrained: TestedFraction | null;
}

/** A readout that was fitted after the training, and how well it does; fractions. */
export interface Classifier extends Fit {
  readonly accuracy: number;
  readonly trainAccuracy: number;
}

/** The same, and the attack on the network with it. */
export interface RefittedReadout extends Classifier {
  readonly attack: AttackReport | null;
}

const fit = {
  fit: category(['scikit-learn', 'converged']),
  iterations: z.int(),
  iterationLimit: z.int(),
  converged: z.boolean(),
};
const accuracy = () => quantity({ unit: 'fraction', better: 'higher', headline: true });
const trainAccuracy = () => quantity({ label: 'train accuracy', unit: 'fraction', better: 'higher' });
const loss = () => quantity({ scale: 'log', better: 'lower' });

export const onlineReadoutRecord = record({
  name: 'online readout',
  role: 'test',
  fields: {
    accuracy: accuracy(),
    lower: quantity({ unit: 'fraction' }),
    upper: quantity({ unit: 'fraction' }),
    loss: loss(),
    trainAccuracy: trainAccuracy(),
    images: z.int(),
    untrained: z.object({ accuracy: z.number(), lower: z.number(), upper: z.number() }).nullable(),
    ...fit,
  },
});

const fittedFields = () => ({
  accuracy: accuracy(),
  trainAccuracy: trainAccuracy(),
  loss: loss(),
  objective: quantity({ better: 'lower' }),
  ...fit,
});

/** A readout in the place of the one that the network was trained with. */
export const refittedRecord = record({ name: 'refitted readout', role: 'readout', fields: fittedFields() });

/** A readout of a network that was trained without one. */
export const classifierRecord = record({ name: 'classifier', role: 'readout', fields: fittedFields() });

/** The last readout that was fitted; null where none was. */
export function classifierOf(lines: readonly LogLine[]): Classifier | null {
  const last = lines.at(-1);
  if (last === undefined) return null;
  return { accuracy: Number(last.accuracy), trainAccuracy: Number(last.trainAccuracy), ...fitIn(last) };
}

export const onlineReadoutIn = (line: LogLine): OnlineReadout => ({
  number: Number(line.number),
  epoch: Number(line.epoch),
  accuracy: Number(line.accuracy),
  lower: Number(line.lower),
  upper: Number(line.upper),
  loss: numberIn(line, 'loss') ?? Number.NaN,
  trainAccuracy: numberIn(line, 'trainAccuracy') ?? Number.NaN,
  images: Number(line.images),
  untrained: (line.untrained as TestedFraction | null | undefined) ?? null,
  ...fitIn(line),
});

const fitIn = (line: LogLine): Fit => ({
  fit: String(line.fit),
  iterations: Number(line.iterations),
  iterationLimit: Number(line.iterationLimit),
  converged: line.converged === true,
});
