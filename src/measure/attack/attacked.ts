import { floatsOf } from '../../storage/log-stage.js';
import type { CertificateMethod } from '../certificate/record.js';
import { type LoggedStream, type LogLine, newest, newestOf, numberIn } from '../log.js';
import { type Attempt, bestOf, type FixedCheck, fixedChecks, type Portfolio, portfolioOf } from './portfolio.js';
import { type AttackCurve, queryCurves } from './query-curve.js';
import { type AttackKind, attackKinds, type QueryCurve } from './record.js';

export interface AttackReport {
  /** As its record names it. */
  readonly name?: string;
  /** Absent where its record does not say it. */
  readonly kind?: AttackKind;
  /** T; null where it was not the same for all samples, or nothing says it. */
  readonly iterations: number | null;
  /** Updates of the weights that were attacked. */
  readonly number?: number;
  /** What an input may be: one range, or one a channel; absent from logs of earlier versions. */
  readonly box?: { readonly min: number | readonly number[]; readonly max: number | readonly number[] };
  /** Whether its samples were standardized, so that distances are in deviations of each feature. */
  readonly standardized?: true;
  /** `all` where it took the first samples, whatever the network says of them; else those that it gets right. */
  readonly choose?: 'all';
  readonly samples: readonly AttackedSample[];
  /** Both sides of Δx of every sample that any attack was on, in the order of their indices. */
  readonly bounds?: readonly DistanceBounds[];
  /** Where several attacks were on these samples: how they compare. */
  readonly portfolio?: Portfolio;
  /** What attacks at a fixed ε leave right beside what the others leave. */
  readonly fixed?: readonly FixedCheck[];
  /** The distance after each number of queries, a curve for each attack on these samples whose record has one. */
  readonly curves?: readonly AttackCurve[];
  /** Where other networks were attacked from the same seed: over the images that all share. */
  readonly common?: CommonSamples;
}

/**
 * A network's distances over the images that it shares with those that it is compared with. Each network is attacked on the first images
 * that it gets right, so one that gets fewer right is measured on easier images; over common samples it is not.
 */
export interface CommonSamples {
  /** Networks that are compared: of one pipeline, setting and seed, and attacked; this one is among them. */
  readonly networks: number;
  /** Images that all of them were attacked on. */
  readonly attacked: number;
  /** Those of them that all get right. */
  readonly correct: number;
  /** Those of them for which an adversarial point was found under all: the common samples. */
  readonly samples: number;
  /** This network's, over the common samples; null where there are none. */
  readonly meanDistance: number | null;
  /** The same by the nearest point of all attacks on it. */
  readonly meanBest: number | null;
  /** The same as `meanDistance` in pixel units, of inputs that were normalized. */
  readonly meanPixelDistance: number | null;
}

/** Both sides of one sample's Δx: by all attacks, and all that was proved, on the same weights. */
export interface DistanceBounds {
  readonly index: number;
  readonly label: number;
  readonly predicted: number;
  /** The smallest verified distance; null where no attack found a point. */
  readonly upper: number | null;
  /** The attack that it is by. */
  readonly by?: string;
  /** The largest that was proved; null where nothing was. */
  readonly lower: number | null;
  readonly method?: CertificateMethod;
}

/** What the attack made of one test sample. Distances are l2, in the units of the network's input. */
export interface AttackedSample {
  /** Position in the test set: the same sample has the same index under every network. */
  readonly index: number;
  readonly label: number;
  /** What the network says of the sample as it is. */
  readonly predicted: number;
  readonly adversarialLabel: number | null;
  readonly outcome: string;
  /** Δx of the verified adversarial sample; null where none was found. */
  readonly distance: number | null;
  /** The length of the same perturbation in pixel units, of inputs that were normalized. */
  readonly pixelDistance?: number;
  /** Rigorous lower bound of Δx, the largest of all attacks. */
  readonly lower: number | null;
  /** The method that gave it; absent from logs of earlier versions, which have Lemma 1's. */
  readonly method?: CertificateMethod;
  /** The smallest distance of all attacks on the sample. */
  readonly upper: number | null;
  /** The attack that `upper` is by, where there are several, and what it sees. */
  readonly by?: string;
  readonly byKind?: AttackKind | undefined;
  /** Lemma 1's bound with the sampled maximum of the Jacobian: an estimate, which may lie above Δx. */
  readonly local?: number | null;
  /** θx: cosine between Φ(x) and the difference of the two readout rows. */
  readonly theta?: number | null;
  /** ‖Φ(x)‖. */
  readonly featureNorm?: number | null;
  /** Forward passes asked for. */
  readonly queries: number;
  /** The distance after each number of them; a report has the means of all samples (`curves`) in its place. */
  readonly curve?: QueryCurve;
  /** The kind of start, of attacks that choose among several. */
  readonly start?: string | null;
  readonly original?: Float32Array;
  readonly adversarial?: Float32Array;
}

/** A network with what each attack made of its samples. */
export interface AttackedNetwork {
  readonly name: string;
  readonly sampleShape: readonly number[];
  /** By stream, in the order of the log. */
  readonly attacks: ReadonlyMap<string, readonly AttackedSample[]>;
}

/** A stream of a network's attack. */
type AttackStream = Pick<LoggedStream, 'stream' | 'description' | 'lines'>;

/**
 * The results of the first of some attacks on the newest weights that it was on, each sample once; null where nothing was attacked. The
 * others count for the upper bounds of its samples, where they were on the same weights. An attack at a fixed ε comes after the others: its
 * distances are upper bounds, no estimates of Δx.
 */
export function attackOf(given: readonly AttackStream[]): AttackReport | null {
  const within = ({ lines }: AttackStream): boolean => numberIn(lines.at(-1) ?? {}, 'epsilon') !== null;
  const streams = [...given.filter((one) => !within(one)), ...given.filter(within)];
  const [first] = streams;
  if (first === undefined || first.lines.length === 0) return null;
  const own = nearest(newestOf(first.lines));
  const names = streams.map(({ description: { name } }) => name);
  const attempts = streams
    .filter(({ lines }) => newest(lines) === newest(first.lines))
    .map(({ stream, description: { name }, lines }): Attempt<AttackedSample> => {
      const of = nearest(newestOf(lines));
      const twice = names.filter((other) => other === name).length > 1;
      const epsilon = numberIn(of.at(-1)!, 'epsilon') ?? undefined;
      const called = twice ? `${name} (${stream})` : name;
      return { name: called, kind: kindIn(of.at(-1)!), epsilon, samples: of.map(attackedSample) };
    });
  const [{ name, kind, epsilon, samples: taken }] = attempts as [Attempt<AttackedSample>];
  const samples = epsilon === undefined ? taken : taken.map((sample) => ({ ...sample, distance: null }));
  const best = bestOf(attempts);
  const portfolio = portfolioOf(attempts);
  const fixed = fixedChecks(attempts);
  const bounds = boundsOf(attempts);
  const curves = queryCurves(attempts);
  const box = own.at(-1)?.box as AttackReport['box'];
  const rounds = new Set(own.map((line) => numberIn(line, 'iterations')));
  const iterations = rounds.size === 1 ? [...rounds][0]! : null;
  const standardized = own.at(-1)?.standardized === true;
  const whole = own.at(-1)?.choose === 'all';
  const number = numberIn(own.at(-1) ?? {}, 'number');
  return {
    name,
    ...(kind && { kind }),
    iterations,
    ...(number !== null && { number }),
    ...(box && { box }),
    ...(standardized && { standardized }),
    ...(whole && { choose: 'all' as const }),
    ...(portfolio && { portfolio }),
    ...(fixed.length > 0 && { fixed }),
    ...(curves.length > 0 && { curves }),
    samples: samples.map(({ curve: _, ...sample }) => {
      const upper = best.get(sample.index);
      if (attempts.length < 2) return sample;
      const { lower, method } = bounds.get(sample.index)!;
      const bounded = { ...sample, lower, ...(method !== undefined && { method }) };
      if (upper === undefined) return bounded;
      return { ...bounded, upper: upper.distance, by: upper.by.name, byKind: upper.by.kind };
    }),
    bounds: [...bounds.values()].sort((a, b) => a.index - b.index),
  };
}

/** Both sides of each sample, by its index. */
function boundsOf(attempts: readonly Attempt<AttackedSample>[]): ReadonlyMap<number, DistanceBounds> {
  const best = bestOf(attempts);
  const bounds = new Map<number, DistanceBounds>();
  for (const { index, label, predicted, lower, method } of attempts.flatMap(({ samples }) => samples)) {
    const known = bounds.get(index);
    if (known !== undefined && (lower === null || (known.lower !== null && !(lower > known.lower)))) continue;
    const upper = best.get(index);
    const above = upper === undefined ? { upper: null } : { upper: upper.distance, by: upper.by.name };
    bounds.set(index, { index, label, predicted, ...above, lower, ...(method !== undefined && { method }) });
  }
  return bounds;
}

const kindIn = ({ kind }: LogLine): AttackKind | undefined => attackKinds.find((one) => one === kind);

/** One line a sample, the one with the nearest point: two attacks on a sample, or an item handed on twice, are no two samples. */
export function nearest(lines: readonly LogLine[]): readonly LogLine[] {
  const ofSample = new Map<string, LogLine>();
  for (const line of lines) {
    const sample = `${line.index} ${line.label}`;
    const known = ofSample.get(sample);
    if (known === undefined || distanceIn(line) < distanceIn(known)) ofSample.set(sample, line);
  }
  return [...ofSample.values()];
}

const distanceIn = (line: LogLine): number => finite(numberIn(line, 'distance')) ?? Number.POSITIVE_INFINITY;

function attackedSample(line: LogLine): AttackedSample {
  const original = floatsOf(line.original);
  const adversarial = floatsOf(line.adversarial);
  const distance = finite(numberIn(line, 'distance'));
  const pixelDistance = finite(numberIn(line, 'pixelDistance'));
  return {
    index: Number(line.index),
    label: Number(line.label),
    predicted: Number(line.predicted),
    adversarialLabel: numberIn(line, 'adversarialLabel'),
    outcome: String(line.outcome),
    distance,
    ...(pixelDistance !== null && { pixelDistance }),
    lower: numberIn(line, 'lower'),
    ...(typeof line.method === 'string' && { method: line.method as CertificateMethod }),
    upper: distance,
    local: numberIn(line, 'local'),
    theta: numberIn(line, 'theta'),
    featureNorm: numberIn(line, 'featureNorm'),
    queries: Number(line.queries ?? 0),
    ...curveIn(line.curve),
    start: typeof line.start === 'string' ? line.start : null,
    ...(original && { original }),
    ...(adversarial && { adversarial }),
  };
}

/** A curve whose lists are of one length; empty where a record has none. */
function curveIn(value: LogLine[string] | undefined): { readonly curve?: QueryCurve } {
  const { queries, distance } = (value ?? {}) as { readonly queries?: unknown; readonly distance?: unknown };
  const isCurve = Array.isArray(queries) && Array.isArray(distance) && queries.length === distance.length;
  return isCurve && queries.length > 0 ? { curve: { queries, distance } } : {};
}

/** A distance that was found; NaN says that none was. */
const finite = (value: number | null): number | null => (value !== null && Number.isFinite(value) ? value : null);
