import { isDeepStrictEqual } from 'node:util';
import { WeirError } from '../flow/errors.js';
import { accuracyRecord } from '../measure/accuracy/accuracy.js';
import type { Measurement } from '../measure/log.js';
import type { NetworkReport } from '../measure/networks/record.js';
import { summarizeNetwork } from '../measure/networks/summary.js';
import { mean } from '../plot/statistics.js';
import { ANY, comparedConfig, OlderFormat, RunFolder } from '../storage/run-folder.js';
import { collectReport } from './collect/collect.js';
import { type LifecycleState, statusOf, unreadableRun } from './status.js';

/** What the networks of one regularizer of a run came to. Null for what was not measured. */
export interface StreamResult {
  readonly regularizer: string;
  readonly networks: number;
  /** Whether this run trained them for other runs too, or another run did for it. */
  readonly shared?: true;
  /** Mean over the networks, from 0 to 1. */
  readonly accuracy: number | null;
  /** The stream of that accuracy, where it is not the test accuracy: the first one of accuracies. */
  readonly accuracyOf?: string;
  /**
   * Mean over the networks of their mean adversarial distance Δx, that of the first attack, in units of the input; of standardized data in
   * deviations. Null where that attack found nothing, whatever others found.
   */
  readonly distance: number | null;
  /** The same of the nearest point of each sample by any attack, where a network was attacked by several. */
  readonly bestDistance?: number;
}

/** A run beside others. Plain data. */
export interface ListedRun {
  readonly path: string;
  readonly pipeline: string;
  readonly state: LifecycleState;
  /** ISO 8601; null where the run cannot be read. */
  readonly createdAt: string | null;
  readonly epoch: number | null;
  readonly epochs: number | null;
  /** The keys in which the listed runs of its pipeline differ, the seed and the origin of a fork among them; 'any' where one makes no difference. */
  readonly differs: Readonly<Record<string, unknown>>;
  readonly results: readonly StreamResult[];
}

/**
 * Runs beside each other, the oldest first: where each stands, in what it differs from the others of its pipeline, what it came to.
 *
 * It reads the whole metric log of each. A run that is damaged, or of an older format, hides no other.
 */
export async function listRuns(paths: readonly string[]): Promise<ListedRun[]> {
  const found = await Promise.all(paths.map(standing));
  const listed = found.map(({ start, ...run }) => {
    const starts = found.flatMap(({ pipeline, start }) => (pipeline === run.pipeline && start ? [start] : []));
    const keys = Object.keys(start ?? {}).filter((key) => {
      const values = starts.map((one) => one[key]).filter((value) => value !== ANY);
      return values.some((value) => !isDeepStrictEqual(value, values[0]));
    });
    return { ...run, differs: Object.fromEntries(keys.map((key) => [key, start![key] ?? null])) };
  });
  return listed.sort((a, b) => (a.createdAt ?? '').localeCompare(b.createdAt ?? ''));
}

type Standing = Omit<ListedRun, 'differs'> & { readonly start: Readonly<Record<string, unknown>> | undefined };

async function standing(path: string): Promise<Standing> {
  try {
    const folder = RunFolder.open(path);
    const { seed, origin, createdAt } = folder.started;
    const { path: shown, pipeline, state, epoch, epochs } = await statusOf(path);
    const from = origin === undefined ? 'none' : `${origin.run}, update ${origin.at}`;
    const results = state === 'damaged' ? [] : resultsOf(folder);
    const start = { ...comparedConfig(folder.started), seed, origin: from };
    return { path: shown, pipeline, state, createdAt, epoch, epochs, results, start };
  } catch (error) {
    if (!(error instanceof WeirError)) throw error;
    const { pipeline, state, epoch, epochs } = unreadableRun(path, error);
    const createdAt = (error instanceof OlderFormat && error.started.createdAt) || null;
    return { path, pipeline, state, createdAt, epoch, epochs, results: [], start: undefined };
  }
}

function resultsOf(folder: RunFolder): StreamResult[] {
  const { networks } = collectReport([folder]);
  const { part = {} } = folder.started;
  return [...new Set(networks.map(({ regularizer }) => regularizer))].map((regularizer) => {
    const own = networks.filter((network) => network.regularizer === regularizer);
    const accuracies = own.flatMap(({ testAccuracy }) => testAccuracy ?? []);
    const distances = own.flatMap((network) => summarizeNetwork(network).meanDistance ?? []);
    const best = own.flatMap(({ attack }) => attack?.portfolio?.meanBest ?? []);
    return {
      regularizer,
      networks: own.length,
      ...(own.some(({ name, trainedBy }) => trainedBy ?? Object.hasOwn(part, name)) && { shared: true as const }),
      ...(accuracies.length > 0 ? { accuracy: mean(accuracies) } : otherAccuracy(own)),
      distance: distances.length === 0 ? null : mean(distances),
      ...(best.length > 0 && { bestDistance: mean(best) }),
    };
  });
}

/** The accuracy of networks without a test accuracy: that of the first stream of accuracies, and its name. */
function otherAccuracy(networks: readonly NetworkReport[]): Pick<StreamResult, 'accuracy' | 'accuracyOf'> {
  const isAccuracy = ([, { description }]: readonly [string, Measurement]) => description.name === accuracyRecord.name;
  const [accuracyOf] = networks.flatMap(({ measurements = {} }) => Object.entries(measurements)).find(isAccuracy) ?? [];
  if (accuracyOf === undefined) return { accuracy: null };
  const values = networks.flatMap(({ results }) => results?.[`${accuracyOf}.accuracy`]?.value ?? []);
  return values.length === 0 ? { accuracy: null } : { accuracy: mean(values), accuracyOf };
}
