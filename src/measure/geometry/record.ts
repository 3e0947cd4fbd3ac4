import { array, category, key, quantity, record, z } from '../../storage/record.js';
import { arrayIn, type LogLine } from '../log.js';

/**
 * How the scan around one sample ended.
 *
 * - `found`: the boundary, within the tolerance.
 * - `already-misclassified`: the model does not give the sample its label.
 * - `beyond-reach`: no point of another class within the reach.
 * - `not-a-number`: the model gave a logit that is NaN.
 */
export type ScanOutcome = (typeof scanOutcomes)[number];

const scanOutcomes = ['found', 'already-misclassified', 'beyond-reach', 'not-a-number'] as const;

/** The exact distance of one sample, by a dense scan. Plain data. */
export interface ExactDistance {
  readonly number: number;
  readonly epoch: number;
  readonly index: number;
  readonly label: number;
  readonly outcome: ScanOutcome;
  /** From the sample to the nearest point of another class, in input units; NaN where none was found. */
  readonly distance: number;
}

/** The record of an exact distance, of so many samples. */
export const exactDistanceRecord = (total: number) =>
  record({
    name: 'exact distances',
    role: 'measurement',
    total,
    fields: {
      index: key(z.int()),
      label: key(z.int()),
      outcome: category(scanOutcomes),
      distance: quantity({ label: 'exact distance', unit: 'input units', better: 'higher', headline: true }),
    },
  });

export const exactDistanceIn = ({ number, epoch, index, label, outcome, distance }: LogLine): ExactDistance => ({
  number: Number(number),
  epoch: Number(epoch),
  index: Number(index),
  label: Number(label),
  outcome: outcome as ScanOutcome,
  distance: Number(distance),
});

/** A grid over the input plane, or over a plane through samples. Cell (row, column) is at `row · columns + column`. */
export interface Geometry {
  /** The update whose weights these are. */
  readonly number: number;
  readonly epoch: number;
  /** 'grid': the inputs are the plane; 'plane': a plane through three samples, in units of the input. */
  readonly kind: 'grid' | 'plane';
  /** Set where its samples were standardized: lengths are in deviations of each feature. */
  readonly standardized?: true;
  /** Edges of the rectangle; a value belongs to the middle of its cell. */
  readonly xMin: number;
  readonly xMax: number;
  readonly yMin: number;
  readonly yMax: number;
  readonly columns: number;
  /** Of ascending y. */
  readonly rows: number;
  readonly points: readonly { readonly x: number; readonly y: number; readonly label: number }[];
  /** [rows · columns] predicted class; negative where there is none. */
  readonly classes: Float32Array;
  /** [rows · columns] top logit less the runner-up; its sign is not read. */
  readonly margin: Float32Array;
  /** [rows · columns] ½ log det g; NaN where g has no full rank. */
  readonly logVolume: Float32Array;
  /** [rows · columns] λmax(g). */
  readonly topEigenvalue: Float32Array;
}

/** The record of a geometry: arrays are drawn by the report's maps alone. */
export const geometryRecord = record({
  name: 'geometry',
  role: 'geometry',
  fields: {
    kind: z.enum(['grid', 'plane']),
    standardized: key(z.boolean()).optional(),
    xMin: z.number(),
    xMax: z.number(),
    yMin: z.number(),
    yMax: z.number(),
    columns: z.int(),
    rows: z.int(),
    points: z.array(z.object({ x: z.number(), y: z.number(), label: z.int() })),
    classes: array(),
    margin: array(),
    logVolume: array(),
    topEigenvalue: array(),
  },
});

export const geometryIn = (line: LogLine): Geometry => ({
  ...(line as unknown as Geometry),
  classes: arrayIn(line, 'classes'),
  margin: arrayIn(line, 'margin'),
  logVolume: arrayIn(line, 'logVolume'),
  topEigenvalue: arrayIn(line, 'topEigenvalue'),
});
