import type {
  Alignment,
  Attack,
  AttackedSample,
  Bounds,
  Certificate,
  Classifier,
  ExactDistance,
  Fit,
  Geometry,
  Probe,
  Readout,
  Track,
} from '../../measure/networks/record.js';
import { decoded } from '../../storage/journal.js';
import { array, type Line, number } from './lines.js';
import { nearest, newestOf } from './moments.js';

/**
 * The results of the attack on the newest weights that were attacked, a sample once; null where nothing was attacked.
 *
 * @param configured T by the run's config, for logs of older builds, whose lines do not say it
 */
export function attackOf(lines: readonly Line[], configured: number | null): Attack | null {
  const own = nearest(newestOf(lines.filter((line) => line.outcome !== undefined)));
  const box = own.at(-1)?.box as Attack['box'];
  const rounds = new Set(own.map((line) => number(line, 'iterations') ?? configured));
  const iterations = rounds.size === 1 ? [...rounds][0]! : null;
  return own.length === 0 ? null : { iterations, ...(box && { box }), samples: own.map(attackedSample) };
}

function attackedSample(line: Line): AttackedSample {
  const original = decoded(line.original);
  const adversarial = decoded(line.adversarial);
  return {
    index: Number(line.index),
    label: Number(line.label),
    predicted: Number(line.predicted),
    adversarialLabel: number(line, 'adversarialLabel'),
    outcome: String(line.outcome),
    distance: finite(number(line, 'distance')),
    lower: number(line, 'lower'),
    upper: finite(number(line, 'distance')),
    local: number(line, 'local'),
    theta: number(line, 'theta'),
    featureNorm: number(line, 'featureNorm'),
    queries: Number(line.queries ?? 0),
    start: typeof line.start === 'string' ? line.start : null,
    ...(original && { original }),
    ...(adversarial && { adversarial }),
  };
}

/** A distance that was found; NaN says that none was. */
const finite = (value: number | null): number | null => (value !== null && Number.isFinite(value) ? value : null);

/** The last readout that was fitted, with the attack on it; null where none was. */
export function readoutOf(lines: readonly Line[], attack: Attack | null): Readout | null {
  const last = classifierOf(lines);
  return last && { ...last, attack };
}

/** The last readout that was fitted; null where none was. */
export function classifierOf(lines: readonly Line[]): Classifier | null {
  const last = lines.at(-1);
  if (last === undefined) return null;
  return { accuracy: Number(last.accuracy), trainAccuracy: Number(last.trainAccuracy), ...fitOf(last) };
}

const fitOf = (line: Line): Fit => ({
  fit: typeof line.fit === 'string' ? line.fit : null,
  iterations: number(line, 'iterations'),
  iterationLimit: number(line, 'iterationLimit'),
  converged: line.converged === true,
});

/** Whether a line is of a readout that was fitted while the network learned. */
export const isProbe = (line: Line): boolean => line.untrained !== undefined && typeof line.lower === 'number';

/** One moment's readout: plain numbers, as logged. */
export const probe = (line: Line): Probe => ({
  ...{ epoch: Number(line.epoch), accuracy: Number(line.accuracy) },
  ...{ lower: Number(line.lower), upper: Number(line.upper) },
  untrained: (line.untrained as Probe['untrained']) ?? null,
  ...fitOf(line),
});

export const exactDistance = (line: Line): ExactDistance => ({
  index: Number(line.index),
  label: Number(line.label),
  distance: Number(line.distance),
});

export const geometry = (line: Line): Geometry => ({
  ...(line as unknown as Geometry),
  classes: array(line, 'classes'),
  margin: array(line, 'margin'),
  logVolume: array(line, 'logVolume'),
  topEigenvalue: array(line, 'topEigenvalue'),
});

/** Plain records of numbers: what was logged is what the report shows. */
export const track = (line: Line): Track => line as unknown as Track;
export const alignment = (line: Line): Alignment => line as unknown as Alignment;

export const certificate = (line: Line): Certificate => ({
  ...(line as unknown as Certificate),
  lower: bounds(line.lower as Line),
  local: bounds(line.local as Line),
});

const bounds = (line: Line | null | undefined): Bounds => ({
  l1: Number(line?.l1 ?? Number.NaN),
  l2: Number(line?.l2 ?? Number.NaN),
  linf: Number(line?.linf ?? Number.NaN),
});
