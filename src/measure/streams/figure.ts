import { grouped } from '../../plot/columns.js';
import { type DrawnFigure, type Panel, regularizers, seedsPhrase, WIDTH } from '../../plot/figure.js';
import { curves } from '../../plot/panels.js';
import { mean, quantile } from '../../plot/statistics.js';
import { markStyle } from '../../plot/style.js';
import { number, percent } from '../../plot/table.js';
import type { FieldDescription } from '../../storage/record.js';
import { drawnFields, fieldTitle, type LogLine, newestOf, newestValues, numberIn, shareInWords } from '../log.js';
import { groups, type SeedGroup } from '../networks/groups.js';
import type { NetworkReport, Report } from '../networks/record.js';
import { curvesReading, epochCurves } from '../training/figure.js';

/** A field of a stream, as it is drawn. */
interface Field {
  readonly stream: string;
  readonly name: string;
  readonly title: string;
  readonly field: FieldDescription;
}

const SIZE = { width: WIDTH.half, height: 270 };

/** Every measurement that no other figure shows, a panel a field, as its schema says: a curve, a distribution or bars. */
export function measurements(report: Report): DrawnFigure | null {
  const all = groups(report);
  const fields = fieldsOf(report);
  const drawn = fields.flatMap((field) => {
    const panel = { curve, histogram, bars }[field.field.shown!](all, field);
    return panel === null ? [] : [{ field, panel }];
  });
  if (drawn.length === 0) return null;
  const shown = new Set(drawn.map(({ field }) => field.field.shown));
  return {
    title: 'Further measurements',
    panels: drawn.map(({ panel }) => panel),
    columns: 2,
    legend: regularizers(all),
    reading: [
      `A panel a quantity, as its stream declares it (${seedsPhrase(all)} a regularizer).`,
      ...(shown.has('curve') ? [curvesReading(all)] : []),
      ...(shown.has('histogram')
        ? ['Distributions: the share of records of the last update that are at most that.']
        : []),
      ...(shown.has('bars') ? ['Bars: the mean share of records of the last update, a dot a network.'] : []),
    ].join(' '),
    outcome: `at the end: ${drawn.map(({ field }) => sentence(all, field)).join('; ')}.`,
  };
}

function fieldsOf({ networks }: Report): Field[] {
  const found = new Map<string, Field>();
  for (const { measurements = {} } of networks) {
    for (const [stream, { description }] of Object.entries(measurements)) {
      for (const [name, field] of drawnFields(description)) {
        found.set(`${stream} ${name}`, { stream, name, field, title: fieldTitle(stream, description, field.label) });
      }
    }
  }
  return [...found.values()];
}

const recordsIn = ({ measurements }: NetworkReport, { stream }: Field): readonly LogLine[] =>
  measurements?.[stream]?.records ?? [];

const unitOf = ({ title, field: { unit } }: Field): string =>
  unit === undefined ? title : `${title}, ${unit === 'fraction' ? '%' : unit}`;

function curve(all: readonly SeedGroup[], field: Field): Panel | null {
  const pointsOf = (network: NetworkReport) =>
    recordsIn(network, field).flatMap((line) => {
      const value = numberIn(line, field.name);
      return value === null ? [] : [{ epoch: Number(line.epoch), value }];
    });
  if (all.every(({ networks }) => networks.every((network) => pointsOf(network).length === 0))) return null;
  const scale = field.field.unit === 'fraction' ? 'per cent' : (field.field.scale ?? 'linear');
  return epochCurves(all, { ...SIZE, label: unitOf(field), scale, of: pointsOf });
}

function histogram(all: readonly SeedGroup[], field: Field): Panel | null {
  const series = all.flatMap((group) => {
    const values = valuesOf(group, field).sort((a, b) => a - b);
    const points = values.map((x, i) => ({ x, y: (100 * (i + 1)) / values.length }));
    return points.length === 0 ? [] : [{ style: markStyle(group.regularizer), points }];
  });
  if (series.length === 0) return null;
  return curves(series, {
    ...SIZE,
    label: 'records with at most this, %',
    x: unitOf(field),
    scale: 'linear',
    domain: [0, 100],
  });
}

function bars(all: readonly SeedGroup[], field: Field): Panel | null {
  const words = [...new Set(all.flatMap(({ networks }) => networks.flatMap((network) => wordsIn(network, field))))];
  if (words.length === 0) return null;
  const columns = words.flatMap((category) =>
    all.map(({ regularizer, networks }) => ({
      label: regularizer,
      regularizer,
      category,
      hollow: false,
      error: null,
      values: networks.flatMap((network) => {
        const own = wordsIn(network, field);
        return own.length === 0 ? [] : [(100 * own.filter((word) => word === category).length) / own.length];
      }),
    })),
  );
  return grouped(columns, { ...SIZE, label: `${field.title}, %`, axis: field.field.label, show: 'bars' });
}

const wordsIn = (network: NetworkReport, field: Field): string[] =>
  newestOf(recordsIn(network, field)).flatMap((line) => (line[field.name] == null ? [] : [String(line[field.name])]));

const valuesOf = ({ networks }: SeedGroup, { stream, name }: Field): number[] =>
  networks.flatMap(({ measurements }) => (measurements?.[stream] ? newestValues(measurements[stream], name) : []));

function sentence(all: readonly SeedGroup[], field: Field): string {
  const shown = (value: number | null) => (field.field.unit === 'fraction' ? percent(value) : number(value));
  const each = all.flatMap((group) => {
    if (field.field.shown === 'bars') {
      const words = group.networks.flatMap((network) => wordsIn(network, field));
      const counts = [...new Set(words)].map((word) => `${words.filter((one) => one === word).length} ${word}`);
      return counts.length === 0 ? [] : [`${group.label} ${counts.join(', ')}`];
    }
    const values = valuesOf(group, field);
    if (values.length === 0) return [];
    const of = group.networks.reduce((sum, network) => sum + newestOf(recordsIn(network, field)).length, 0);
    const share = shareInWords({ count: values.length, of });
    const value = shown(field.field.shown === 'histogram' ? quantile(values, 0.5) : mean(values));
    return [`${group.label} ${value}${share && ` (${share} records)`}`];
  });
  return `${field.title}${field.field.shown === 'histogram' ? ' (median)' : ''} ${each.join(', ')}`;
}
