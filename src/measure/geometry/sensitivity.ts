import type { Positioned } from '../../flow/data.js';
import { WeirError } from '../../flow/errors.js';
import { checkCounts, checkOptions } from '../../flow/options.js';
import { type StageOperator, stage } from '../../flow/stage.js';
import type { Model } from '../../learn/model/model.js';
import type { Update } from '../../learn/update.js';
import { mean, quantile } from '../../plot/statistics.js';
import { quantity, record, z } from '../../storage/record.js';
import { checkTwo } from './geometry.js';
import { productsOf } from './jacobian.js';
import type { Geometry } from './record.js';
import { REST, type SurveyState, survey } from './survey.js';

/** How little the representation moves near some points of the plane: what figure 3b shows, as numbers. Plain data. */
export interface Sensitivity {
  readonly number: number;
  readonly epoch: number;
  /** Part of the area near the points where √det g is at most `below` times its greatest value on the plane; from 0 to 1. */
  readonly insensitive: number;
  /** Of ½ log det g over that area, in sixteenths from the least to the greatest: the part below any value that several networks share. */
  readonly volumes: readonly number[];
  /** Mean of ½ log det g over that area. */
  readonly logVolume: number;
  /** Mean of log λmax(g) over that area. */
  readonly logTopEigenvalue: number;
}

/** The record of a sensitivity. */
export const sensitivityRecord = record({
  name: 'sensitivity near the centers',
  role: 'measurement',
  fields: {
    insensitive: quantity({ label: 'area of small volume element', unit: 'fraction', better: 'higher' }),
    volumes: z.array(z.number()),
    logVolume: quantity({ label: 'mean ½ log det g', better: 'lower' }),
    logTopEigenvalue: quantity({ label: 'mean log λmax(g)', better: 'lower' }),
  },
});

export interface SensitivityOptions {
  /** The points, such as the centers of the classes. */
  readonly centers: readonly (readonly [x: number, y: number])[];
  /** How far from a point counts as near, in input units. */
  readonly radius?: number;
  /** The volume element that counts as small, as a part of its greatest value on the plane. */
  readonly below?: number;
  /** Cells in each direction. */
  readonly resolution?: number;
}

/**
 * How sensitive the representation is near the centers of the classes (paper, figure 3b): the part of the area within `radius` of a
 * center where the volume element √det g is small, and the means of ½ log det g and log λmax(g) over that area. The network is that of
 * each update.
 *
 * The paper defines no number. 'Small' is against the greatest volume element of the same network on [−3.5, 3.5]², the square that the
 * authors draw: a scale of all features alone, which a readout can undo, changes nothing.
 *
 * Bound: one batch on the device; the engine breathes after each. Order: that of the updates. State: the cells done so far.
 * Failure: a model that does not take two values or has no Jacobian; centers that no cell is near.
 *
 * @example updates$.pipe(atEnd(), sensitivity(model, { centers: [[1, 1], [-1, 1], [1, -1], [-1, -1]] }))
 */
export function sensitivity(
  model: Model,
  options: SensitivityOptions,
): StageOperator<Update, Sensitivity & Positioned, SurveyState> {
  const {
    centers,
    radius = 0.5,
    below = 0.1,
    resolution = 80,
  } = checkOptions('sensitivity', options, {
    centers: 'required',
    radius: 'optional',
    below: 'optional',
    resolution: 'optional',
  });
  const name = 'sensitivity';
  checkTwo(name, model);
  checkCounts(`stage '${name}'`, { resolution }, { resolution: 400 });
  const side = { min: -3.5, max: 3.5, cells: resolution };
  const near = cellsNear(centers, radius, side);
  if (near.length === 0) {
    throw new WeirError(
      `stage '${name}': no cell of [−3.5, 3.5]² is within ${radius} of a center`,
      'give centers inside of it, a larger radius or a finer resolution',
    );
  }
  const frame = {
    ...{ origin: Float32Array.of(0, 0), a: Float32Array.of(1, 0), b: Float32Array.of(0, 1) },
    ...{ xMin: side.min, xMax: side.max, yMin: side.min, yMax: side.max, columns: resolution, rows: resolution },
  };
  const whole = { model, frame, batch: 2000, steps: 0, kind: 'grid' as const, points: [], standardized: false };
  const task = { ...whole, products: productsOf(name, model) };
  return stage({
    name,
    record: sensitivityRecord,
    claims: 'weights',
    start: () => REST,
    *next(state, update) {
      for (const step of survey(task, state, update)) {
        if (step.length === 1) yield step;
        else yield [step[0], { ...positionOf(update), ...sensitivityOf(step[1], near, below) }];
      }
    },
  });
}

const positionOf = ({ position, number, epoch }: Update) => ({ position, number, epoch });

const SIXTEENTHS = 16;

/** The cells whose middles are within the radius of a center. */
function cellsNear(
  centers: SensitivityOptions['centers'],
  radius: number,
  { min, max, cells }: { readonly min: number; readonly max: number; readonly cells: number },
): number[] {
  const middle = (i: number): number => min + ((i + 0.5) * (max - min)) / cells;
  return Array.from({ length: cells * cells }, (_, i) => i).filter((i) => {
    const [x, y] = [middle(i % cells), middle(Math.floor(i / cells))];
    return centers.some((center) => Math.hypot(x - center[0], y - center[1]) <= radius);
  });
}

/** The numbers of one map. Where det g is not positive its root is 0: small. */
export function sensitivityOf(
  { logVolume, topEigenvalue }: Pick<Geometry, 'logVolume' | 'topEigenvalue'>,
  near: readonly number[],
  below: number,
): Omit<Sensitivity, 'number' | 'epoch'> {
  const finite = logVolume.filter(Number.isFinite);
  const most = finite.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const volumes = near.map((i) => logVolume[i]!);
  const small = volumes.filter((value) => !Number.isFinite(value) || value <= most + Math.log(below)).length;
  const known = volumes.filter(Number.isFinite);
  return {
    volumes:
      known.length === 0 ? [] : Array.from({ length: SIXTEENTHS + 1 }, (_, i) => quantile(known, i / SIXTEENTHS)!),
    insensitive: small / near.length,
    logVolume: mean(known),
    logTopEigenvalue: mean(near.map((i) => Math.log(Math.max(topEigenvalue[i]!, Number.MIN_VALUE)))),
  };
}
