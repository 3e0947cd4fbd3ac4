import type { AttackReport } from '../measure/attack/attacked.js';
import type { Certificate } from '../measure/certificate/record.js';
import type { Geometry } from '../measure/geometry/record.js';
import { newestMean } from '../measure/log.js';
import { type Compared, comparisons, familyOf } from '../measure/networks/comparison.js';
import { groups, settingOf } from '../measure/networks/groups.js';
import { settingRanking } from '../measure/networks/ranking.js';
import type { NetworkReport, Report } from '../measure/networks/record.js';
import { pixelMean, summarizeGroup, summarizeNetwork } from '../measure/networks/summary.js';
import { quantile } from '../plot/statistics.js';
import { metricReplacer } from '../storage/metric-reader.js';
import { isKey } from '../storage/record.js';
import { remarks, verdict } from './verdict.js';

/**
 * Every number of the report as JSON, pixels left out.
 *
 * The same report gives the same bytes: fields stand in a fixed order, the keys of `config` in that of the alphabet.
 * A number that JSON lacks is 'NaN', 'Infinity' or '-Infinity', as in the metric log (`json-numbers.ts`); null is what there is none of.
 *
 * @example writeFileSync('report.json', reportJson(report));
 */
export function reportJson(report: Report): string {
  const { title, pipeline, createdAt, weir, machine, runtime } = report;
  const head = { title, pipeline, createdAt, weir, machine, runtime };
  const all = groups(report);
  const value = {
    ...head,
    provenance: report.provenance ?? [],
    command: report.command ?? null,
    config: ordered(report.config),
    differences: (report.differences ?? []).map(({ pipeline, keys, conditions }) => ({ pipeline, keys, conditions })),
    verdict: verdict(report),
    ...rankingJson(report),
    regularizers: all.map(summarizeGroup),
    correction: { method: 'Holm', tests: familyOf(report).tests },
    comparisons: comparisons(report).map(comparisonJson),
    networks: all.flatMap((group) => group.networks).map(networkJson),
    notes: [...report.notes, ...remarks(report)],
  };
  return `${lines(value, '')}\n`;
}

/** Which setting is the best, in order; nothing of a report that ranks none. */
function rankingJson(report: Report): Record<string, unknown> {
  const ranking = settingRanking(report);
  if (ranking === null) return {};
  const { better, keys, placed } = ranking;
  const places = placed.map(({ place, group, values, measured, accuracy, distance }) => ({
    place,
    regularizer: group.regularizer,
    setting: Object.fromEntries(keys.map((key, i) => [key, values[i]])),
    networks: group.networks.length,
    measured,
    accuracy,
    distance,
  }));
  return { ranking: { by: report.rankedBy, better, places } };
}

/** These fields of a value, in this order; null for what it lacks. */
const picked = <T extends object>(value: T | null, ...fields: readonly (keyof T)[]): Record<string, unknown> =>
  Object.fromEntries(fields.map((field) => [field, value?.[field] ?? null]));

function comparisonJson({ measure, a, b, test, ...compared }: Compared): Record<string, unknown> {
  return {
    ...picked(compared, 'pipeline', 'setting'),
    measure: measure.name,
    a: a.regularizer,
    b: b.regularizer,
    ...picked(compared, 'difference'),
    ...picked(test, 'over', 'paired', 'n', 'standardError', 'lower', 'upper', 't', 'freedom', 'p'),
    pCorrected: compared.corrected,
    ...picked(test, 'greater'),
  };
}

function networkJson(network: NetworkReport): Record<string, unknown> {
  const { readout = null, exact = [], certificates = [], tracks = [], alignments = [], geometries = [] } = network;
  const pixels = pixelMean(network);
  return {
    ...picked(network, 'name', 'pipeline'),
    setting: settingOf(network),
    ...picked(network, 'regularizer', 'seed', 'run', 'updates', 'epochs', 'seconds', 'testAccuracy', 'burnIn'),
    ...(network.trainedBy !== undefined && { trainedBy: network.trainedBy }),
    ...picked(network, 'sampleShape', 'classes'),
    ...(network.origin && { origin: picked(network.origin, 'run', 'update', 'epoch') }),
    summary: { ...summarizeNetwork(network), ...(pixels !== null && { meanPixelDistance: pixels }) },
    sigma: columns(network.sigma),
    curves: columns(network.curves),
    attack: network.attack && attackJson(network.attack),
    ...(network.probes && { probes: network.probes }),
    ...(network.classifier && { classifier: network.classifier }),
    readout: readout && { ...readout, attack: readout.attack && attackJson(readout.attack) },
    exact: exact.map((one) => picked(one, 'index', 'label', 'distance')),
    certificates: certificates.map(certificateJson),
    tracks: tracks.map((track) => picked(track, 'epoch', 'samples')),
    alignments: alignments.map((one) => picked(one, 'epoch', 'number', 'loss', 'cosines', 'weights', 'features')),
    geometries: geometries.map(geometryJson),
    measurements: measurementsJson(network),
  };
}

/**
 * The streams that a report knows by their schema alone. `records` are those of all updates; `means` has each measured number's mean over
 * the `count` of the `of` records of the newest update that have a finite one.
 */
function measurementsJson({ measurements = {} }: NetworkReport): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(measurements).map(([stream, measurement]) => {
      const { description, records } = measurement;
      const { name, role, fields } = description;
      const measured = Object.keys(fields).filter(
        (field) => fields[field]!.type === 'number' && !isKey(description, field),
      );
      const means = Object.fromEntries(measured.map((field) => [field, newestMean(measurement, field)]));
      return [stream, { name, role, records: records.length, means }];
    }),
  );
}

function attackJson(attack: AttackReport): Record<string, unknown> {
  const answer = ['index', 'label', 'predicted', 'adversarialLabel', 'outcome', 'distance'] as const;
  const pixels = attack.samples.some(({ pixelDistance }) => pixelDistance !== undefined);
  const bounds = ['lower', 'method', 'upper', 'local', 'theta', 'featureNorm'] as const;
  const samples = attack.samples.map((one) => ({
    ...picked(one, ...answer, ...(pixels ? (['pixelDistance'] as const) : []), ...bounds, 'queries', 'start'),
    ...(one.by !== undefined && { by: one.by }),
  }));
  return {
    ...picked(attack, 'name', 'kind', 'iterations', 'box'),
    ...(attack.standardized && { standardized: true }),
    ...(attack.choose && { choose: attack.choose }),
    ...(attack.common && { common: attack.common }),
    ...(attack.portfolio && { portfolio: attack.portfolio }),
    samples,
  };
}

function certificateJson({ lower, local, ...rest }: Certificate): Record<string, unknown> {
  const byNorm = (name: string, { l1, l2, linf }: Certificate['lower']) => {
    return { [`${name}L1`]: l1, [`${name}L2`]: l2, [`${name}Linf`]: linf };
  };
  return {
    ...picked(rest, 'index', 'label', 'predicted', 'theta', 'featureNorm', 'marginOverReadoutNorm', 'lipschitz'),
    ...picked(rest, 'lemma1', 'method', 'fallback'),
    ...byNorm('lower', lower),
    ...byNorm('local', local),
  };
}

/** Where a grid lies and what its cells come to; the cells themselves are in the metric log. */
function geometryJson(geometry: Geometry): Record<string, unknown> {
  const counts: Record<string, number> = {};
  for (const label of Array.from(geometry.classes)) counts[label] = (counts[label] ?? 0) + 1;
  const middle = (values: ArrayLike<number>) => quantile(Array.from(values).filter(Number.isFinite), 0.5);
  return {
    ...picked(geometry, 'number', 'epoch', 'kind', 'columns', 'rows', 'xMin', 'xMax', 'yMin', 'yMax'),
    medianLogVolume: middle(geometry.logVolume),
    medianTopEigenvalue: middle(geometry.topEigenvalue),
    cellsOfClass: counts,
    points: geometry.points,
  };
}

/** Curves as two lists each, so that a long run's are a line, and read into a plot as they are. */
function columns(curves: NetworkReport['curves']): Record<string, { epoch: number[]; value: number[] }> {
  return Object.fromEntries(
    Object.entries(curves).map(([name, points]) => [
      name,
      { epoch: points.map(({ epoch }) => epoch), value: points.map(({ value }) => value) },
    ]),
  );
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(entries.map(([key, inner]) => [key, ordered(inner)]));
}

/** JSON with a line for each value that holds no other: a sample is one line, not ten. */
function lines(value: unknown, indent: string): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value, metricReplacer) ?? 'null';
  const inner = Object.values(value);
  if (inner.every((each) => each === null || typeof each !== 'object')) return JSON.stringify(value, metricReplacer);
  const deeper = `${indent}  `;
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  const parts = Array.isArray(value)
    ? value.map((each) => lines(each, deeper))
    : Object.entries(value)
        .filter(([, each]) => each !== undefined)
        .map(([key, each]) => `${JSON.stringify(key)}: ${lines(each, deeper)}`);
  return `${open}\n${deeper}${parts.join(`,\n${deeper}`)}\n${indent}${close}`;
}
