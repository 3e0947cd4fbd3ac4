import { WeirError } from '../flow/errors.js';
import { suggestion } from '../flow/options.js';
import { sensitivityRecord } from '../measure/geometry/sensitivity.js';
import { newestMean } from '../measure/log.js';
import type { CurvePoint, NetworkReport } from '../measure/networks/record.js';
import { MEASURES } from '../measure/networks/summary.js';
import { mean, quantile } from '../plot/statistics.js';
import { distancesOf, type Readout, VIEWS, type View } from './distances.js';

/** The name of a number of a network that a study's comparisons are over; see `studyMeasure`. */
export type StudyMeasure = string;

/** Networks that a measure may look at besides its own. */
export interface Peers {
  /** All methods of the same setting and seed. */
  readonly ofSeed: readonly NetworkReport[];
  /** All methods and seeds of the same setting. */
  readonly all: readonly NetworkReport[];
}

/** A number of a network. */
export interface StudiedMeasure {
  readonly name: StudyMeasure;
  /** What it is shown times: 100 for per cent. */
  readonly scale: number;
  /** Behind its numbers: '%', or ''. */
  readonly unit: string;
  /** Of distances: the ways in which they are taken. */
  readonly views?: readonly View[];
  /** Null where the network has none. */
  of(network: NetworkReport, peers: Peers, view?: View): number | null;
}

const THRESHOLDS = 15;

/** A number over a network's distances, in each view. */
const overDistances = (
  name: string,
  of: (distances: readonly number[], all: () => readonly number[]) => number | null,
  { scale = 1, unit = '', readout = 'own' as Readout } = {},
): StudiedMeasure => ({
  name,
  scale,
  unit,
  views: VIEWS,
  of(network, { ofSeed, all }, view = VIEWS[0]!) {
    const own = [...distancesOf(network, view, ofSeed, readout).values()];
    const pooled = (): number[] =>
      all.flatMap((one) => [
        ...distancesOf(
          one,
          view,
          all.filter(({ seed }) => seed === one.seed),
          readout,
        ).values(),
      ]);
    return own.length === 0 ? null : of(own, pooled);
  },
});

const plain = (name: string, of: (network: NetworkReport) => number | null, scale = 1, unit = ''): StudiedMeasure => ({
  name,
  scale,
  unit,
  of: (network) => of(network),
});

const fraction = { scale: 100, unit: '%' };

/** Every measure with a name of its own. Those of the report's tables can be used by their names there, too. */
const NAMED: readonly StudiedMeasure[] = [
  plain('test accuracy', ({ testAccuracy }) => testAccuracy, 100, '%'),
  plain('test accuracy, refitted readout', ({ readout }) => readout?.accuracy ?? null, 100, '%'),
  overDistances('Δx', mean),
  overDistances('Δx, refitted readout', mean, { readout: 'refitted' }),
  overDistances('Δx at the 10th percentile', (distances) => quantile(distances, 0.1)),
  overDistances('left tail of Δx', (distances) => {
    const [tail, middle] = [quantile(distances, 0.1)!, quantile(distances, 0.5)!];
    return tail > 0 && middle > 0 ? Math.log(tail / middle) : null;
  }),
  ...Array.from({ length: THRESHOLDS }, (_, i) =>
    overDistances(
      `share beyond threshold ${i + 1}`,
      (distances, all) => {
        const threshold = quantile(all(), (i + 1) / (THRESHOLDS + 1))!;
        return distances.filter((distance) => distance > threshold).length / distances.length;
      },
      fraction,
    ),
  ),
  {
    name: 'area of small volume element near the centers',
    scale: 100,
    unit: '%',
    of: (network, { ofSeed }) => {
      const usual = volumesOf(ofSeed.find(({ regularizer }) => regularizer === 'none'));
      const own = volumesOf(network);
      return usual === null || own === null ? null : shareBelow(own, usual[(usual.length - 1) / 2]!);
    },
  },
  plain('insensitive area near the centers', (network) => ofSensitivity(network, 'insensitive'), 100, '%'),
  plain('log volume element near the centers', (network) => ofSensitivity(network, 'logVolume')),
  plain('log λmax(g) near the centers', (network) => ofSensitivity(network, 'logTopEigenvalue')),
  plain('log product of σ', logProduct),
  plain('log of bound A.12 over λmax(g) near the centers', (network) => {
    const [product, top] = [logProduct(network), ofSensitivity(network, 'logTopEigenvalue')];
    return product === null || top === null ? null : 2 * product - top;
  }),
  plain('lag of the power iteration', lag, 100, '%'),
  plain('smallest cosine of a weight vector and its class', ({ alignments = [] }) => {
    const last = alignments.at(-1);
    return last === undefined ? null : finite(Math.min(...last.cosines));
  }),
  plain(
    'greatest deviation of θ from lemma 3',
    ({ alignments = [] }) => {
      const last = alignments.at(-1);
      if (last === undefined) return null;
      return finite(Math.max(...last.thetas.map((theta, k) => Math.abs(theta / last.thetaLimits[k]! - 1))));
    },
    100,
    '%',
  ),
  plain('growth of θ', (network) => growthOf(network, ({ theta }) => theta)),
  plain('growth of log ‖Φ(x)‖', (network) => growthOf(network, ({ featureNorm }) => Math.log(featureNorm))),
];

const SIGMA = /^(growth of )?σ of (.+)$/;

/**
 * The measure of this name: one of the list, one of the report's tables ('Mean exact Δx'), `σ of LAYER` at the end of the training, or
 * `growth of σ of LAYER`, the logarithm of what it came to since the burn-in.
 *
 * @throws {WeirError} names the nearest one
 */
export function studyMeasure(name: StudyMeasure): StudiedMeasure {
  const named = NAMED.find((one) => one.name === name);
  if (named !== undefined) return named;
  const ofReport = MEASURES.find((one) => one.name === name);
  if (ofReport !== undefined) return plain(name, ofReport.of, ofReport.scale, ofReport.scale === 100 ? '%' : '');
  const [, growth, layer] = SIGMA.exec(name) ?? [];
  if (layer !== undefined)
    return plain(name, (network) => (growth === undefined ? end(network.sigma[layer]) : grown(network, layer)));
  const all = [...NAMED, ...MEASURES].map((one) => one.name);
  throw new WeirError(
    `there is no measure '${name}'`,
    suggestion(name, all, `there are ${all.join(', ')}; σ of LAYER`),
  );
}

const end = (points: readonly CurvePoint[] | undefined): number | null => points?.at(-1)?.value ?? null;

/** log σ at the end less log σ at the end of the burn-in. */
function grown({ sigma, burnIn }: NetworkReport, layer: string): number | null {
  const points = sigma[layer] ?? [];
  const before = points.findLast(({ epoch }) => epoch <= (burnIn ?? -1));
  const last = points.at(-1);
  if (before === undefined || last === undefined || last === before) return null;
  return finite(Math.log(last.value / before.value));
}

/** Σ log σ over the layers up to the features. */
function logProduct({ sigma }: NetworkReport): number | null {
  const ends = Object.values(sigma)
    .slice(0, -1)
    .map((points) => points.at(-1)?.value ?? Number.NaN);
  return ends.length === 0 ? null : finite(ends.reduce((sum, value) => sum + Math.log(value), 0));
}

/** How far σ by power iteration stayed below the exact one at the worst, as a part of it: over all logged epochs and layers. */
function lag({ ticks = {}, sigma }: NetworkReport): number | null {
  const lags = Object.entries(ticks).flatMap(([layer, points]) => {
    const exact = new Map(sigma[layer]?.map(({ epoch, value }) => [epoch, value]));
    return points.flatMap(({ epoch, value }) => {
      const right = exact.get(epoch);
      return right === undefined || !(right > 0) ? [] : [1 - value / right];
    });
  });
  return lags.length === 0 ? null : finite(Math.max(...lags));
}

/** Mean over the followed samples of the last value less the first. */
function growthOf({ tracks = [] }: NetworkReport, of: (sample: { theta: number; featureNorm: number }) => number) {
  const [first, last] = [tracks[0], tracks.at(-1)];
  if (first === undefined || last === undefined || first === last) return null;
  return finite(mean(last.samples.map((sample, i) => of(sample) - of(first.samples[i]!))));
}

/** Quantiles of the log volume element near the centers; null where they were not measured. */
function volumesOf(network: NetworkReport | undefined): readonly number[] | null {
  const found = sensitivityIn(network?.measurements ?? {})?.records.at(-1)?.volumes as readonly number[] | undefined;
  return found === undefined || found.length === 0 ? null : found;
}

/** The part of a distribution, given by its quantiles, that is at most some value; linear between them. */
function shareBelow(quantiles: readonly number[], value: number): number {
  const last = quantiles.length - 1;
  if (value >= quantiles[last]!) return 1;
  const next = quantiles.findIndex((one) => one > value);
  if (next === 0) return 0;
  const [low, high] = [quantiles[next - 1]!, quantiles[next]!];
  return (next - 1 + (value - low) / (high - low)) / last;
}

const sensitivityIn = (measurements: NonNullable<NetworkReport['measurements']>) =>
  Object.values(measurements).find(({ description }) => description.name === sensitivityRecord.description.name);

function ofSensitivity({ measurements = {} }: NetworkReport, field: string): number | null {
  const found = sensitivityIn(measurements);
  return found === undefined ? null : newestMean(found, field).mean;
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
