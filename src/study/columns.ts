import type { Data } from '../flow/data.js';
import type { AttackedSample, AttackReport } from '../measure/attack/attacked.js';
import { isAttack } from '../measure/attack/record.js';
import { type LogLine, type Measurement, newestOf, numberIn } from '../measure/log.js';
import type { CurvePoint, NetworkReport } from '../measure/networks/record.js';
import type { RecordDescription } from '../storage/record.js';

/** Samples, a list for each field: 17 bytes an image. */
interface Columns {
  readonly index: Int32Array;
  readonly label: Int16Array;
  readonly predicted: Int16Array;
  /** Places in `outcomes`. */
  readonly outcome: Uint8Array;
  readonly outcomes: readonly string[];
  /** NaN where there is none; so with the next two. */
  readonly distance: Float32Array;
  readonly lower: Float32Array;
  /** Left out where no other attack came nearer. */
  readonly upper?: Float32Array;
  /** Distances in pixel units; left out where inputs are not normalized. */
  readonly pixels?: Float32Array;
  /** Of each image, on average. */
  readonly queries: number;
}

const POINTS = 24; // of a curve that is kept

/** What a study needs of a network, as data that is small on the disk: no weights, no images, no maps, curves thinned. */
export function packedNetwork(network: NetworkReport): Data {
  const {
    sigma,
    ticks,
    burnIn,
    attack,
    readout,
    exact = [],
    tracks = [],
    alignments = [],
    measurements = {},
  } = network;
  const { name, pipeline, regularizer, seed, updates, epochs, seconds, testAccuracy, sampleShape, classes } = network;
  const kept = Object.entries(measurements).flatMap(([stream, one]) => packedMeasurement(stream, one));
  return {
    ...{ name, pipeline, regularizer, seed, updates, epochs, seconds, testAccuracy, sampleShape, classes, burnIn },
    sigma: curves(sigma, burnIn),
    ticks: ticks === undefined ? null : curves(ticks, burnIn),
    attack: packedAttack(attack),
    classifier: (network.classifier ?? null) as Data,
    readout: readout == null ? null : ({ ...readout, attack: packedAttack(readout.attack) } as Data),
    exact: {
      index: Int32Array.from(exact, (one) => one.index),
      distance: Float32Array.from(exact, (one) => one.distance),
    },
    tracks: ends(tracks) as unknown as Data,
    alignments: ends(alignments) as unknown as Data,
    measurements: Object.fromEntries(kept),
  };
}

/** The same as a report has it. */
export function unpackedNetwork(data: Data, of: Pick<NetworkReport, 'run' | 'config' | 'setting'>): NetworkReport {
  const packed = data as unknown as NetworkReport & {
    readonly sigma: PackedCurves;
    readonly ticks: PackedCurves | null;
    readonly exact: { readonly index: Int32Array; readonly distance: Float32Array };
    readonly attack: PackedAttack | null;
    readonly readout: (NonNullable<NetworkReport['readout']> & { readonly attack: PackedAttack | null }) | null;
    readonly measurements: Readonly<Record<string, PackedMeasurement>>;
  };
  const { sigma, ticks, exact, attack, readout, measurements, ...rest } = packed;
  return {
    ...rest,
    ...of,
    curves: {},
    sigma: points(sigma),
    ...(ticks && { ticks: points(ticks) }),
    attack: attackIn(attack),
    readout: readout && { ...readout, attack: attackIn(readout.attack as PackedAttack | null) },
    exact: Array.from(exact.index, (index, i) => ({ index, label: 0, distance: exact.distance[i]! })),
    measurements: Object.fromEntries(
      Object.entries(measurements).map(([stream, { description, samples, records }]): [string, Measurement] => [
        stream,
        { description, records: samples === undefined ? records : samplesIn(samples).map(asLine) },
      ]),
    ),
  };
}

type PackedCurves = Readonly<Record<string, { readonly epoch: Float64Array; readonly value: Float64Array }>>;
type PackedAttack = Omit<AttackReport, 'samples'> & { readonly samples: Columns };

interface PackedMeasurement {
  readonly description: RecordDescription;
  readonly samples?: Columns;
  readonly records: readonly LogLine[];
}

/** About so many points of each curve, with the last ones before the burn-in ends and at the end. */
function curves(all: Readonly<Record<string, readonly CurvePoint[]>>, burnIn: number | null): Data {
  return Object.fromEntries(
    Object.entries(all).map(([name, points]) => {
      const stride = Math.ceil(points.length / POINTS);
      const turn = burnIn === null ? -1 : points.findLastIndex(({ epoch }) => epoch <= burnIn);
      const kept = points.filter((_, i) => i % stride === 0 || i === turn || i === points.length - 1);
      return [
        name,
        { epoch: Float64Array.from(kept, ({ epoch }) => epoch), value: Float64Array.from(kept, ({ value }) => value) },
      ];
    }),
  );
}

const points = (all: PackedCurves): Record<string, CurvePoint[]> =>
  Object.fromEntries(
    Object.entries(all).map(([name, { epoch, value }]) => [
      name,
      Array.from(epoch, (at, i) => ({ epoch: at, value: value[i]! })),
    ]),
  );

/** The first and the last. */
const ends = <T>(all: readonly T[]): T[] => (all.length < 2 ? [...all] : [all[0]!, all.at(-1)!]);

function packedAttack(attack: AttackReport | null): Data {
  if (attack === null) return null;
  const { samples, portfolio: _, ...rest } = attack;
  return { ...rest, samples: columns(samples) } as unknown as Data;
}

const attackIn = (attack: PackedAttack | null): AttackReport | null =>
  attack && { ...attack, samples: samplesIn(attack.samples) };

function packedMeasurement(stream: string, { description, records }: Measurement): [string, Data][] {
  const newest = newestOf(records);
  if (isAttack(description))
    return [[stream, { description, samples: columns(newest.map(sampleIn)), records: [] } as unknown as Data]];
  if (newest.length > 1) return []; // of many samples: no measure of a study reads it
  const numbers = newest.map((line) =>
    Object.fromEntries(Object.entries(line).filter(([, value]) => isNumbers(value))),
  );
  return [[stream, { description, records: numbers } as unknown as Data]];
}

const isNumbers = (value: unknown): boolean =>
  typeof value === 'number' || (Array.isArray(value) && value.every((one) => typeof one === 'number'));

const sampleIn = (line: LogLine): AttackedSample => ({
  index: Number(line.index),
  label: Number(line.label),
  predicted: Number(line.predicted),
  adversarialLabel: null,
  outcome: String(line.outcome),
  distance: numberIn(line, 'distance'),
  lower: numberIn(line, 'lower'),
  upper: numberIn(line, 'distance'),
  queries: Number(line.queries ?? 0),
});

const asLine = ({ index, label, predicted, outcome, distance, lower, queries }: AttackedSample): LogLine => ({
  ...{ index, label, predicted, outcome, distance, lower, queries },
});

function columns(samples: readonly AttackedSample[]): Columns {
  const outcomes = [...new Set(samples.map(({ outcome }) => outcome))];
  const floats = (of: (sample: AttackedSample) => number | null): Float32Array =>
    Float32Array.from(samples, (sample) => of(sample) ?? Number.NaN);
  const inPixels = samples.some(({ pixelDistance }) => typeof pixelDistance === 'number');
  const nearer = samples.some(({ upper, distance }) => upper !== distance);
  return {
    index: Int32Array.from(samples, ({ index }) => index),
    label: Int16Array.from(samples, ({ label }) => label),
    predicted: Int16Array.from(samples, ({ predicted }) => predicted),
    outcome: Uint8Array.from(samples, ({ outcome }) => outcomes.indexOf(outcome)),
    outcomes,
    distance: floats(({ distance }) => distance),
    lower: floats(({ lower }) => lower),
    ...(nearer && { upper: floats(({ upper }) => upper) }),
    ...(inPixels && { pixels: floats(({ pixelDistance }) => pixelDistance ?? null) }),
    queries: samples.reduce((sum, { queries }) => sum + queries, 0) / Math.max(1, samples.length),
  };
}

function samplesIn({
  index,
  label,
  predicted,
  outcome,
  outcomes,
  distance,
  lower,
  upper,
  pixels,
  queries,
}: Columns): AttackedSample[] {
  const number = (values: Float32Array, i: number): number | null => (Number.isFinite(values[i]!) ? values[i]! : null);
  return Array.from(index, (at, i) => ({
    index: at,
    label: label[i]!,
    predicted: predicted[i]!,
    adversarialLabel: null,
    outcome: outcomes[outcome[i]!]!,
    distance: number(distance, i),
    lower: number(lower, i),
    upper: number(upper ?? distance, i),
    ...(pixels && Number.isFinite(pixels[i]!) && { pixelDistance: pixels[i]! }),
    queries,
  }));
}
