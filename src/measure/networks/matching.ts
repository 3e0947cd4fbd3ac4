import { WeirError } from '../../flow/errors.js';
import { suggestion } from '../../flow/options.js';
import type { NetworkReport, Report } from './record.js';

/** A strength of a regularizer, and the accuracy of its networks. */
export interface TunedStrength {
  readonly gamma: number;
  /** Mean over its networks, a fraction. */
  readonly accuracy: number;
  readonly networks: number;
}

/** The strengths of one regularizer beside the accuracy of another one. */
export interface MatchedStrength {
  readonly tuned: string;
  readonly to: string;
  /** Mean accuracy of the other regularizer's networks, one of each seed. */
  readonly accuracy: number;
  /** By rising γ. */
  readonly tried: readonly TunedStrength[];
  /** That whose accuracy is nearest; of several the smallest. */
  readonly best: TunedStrength;
  /** Between the two neighbors that enclose the accuracy: γ by a straight line over log γ, to be tried next. */
  readonly next?: number;
}

/**
 * The strength of one regularizer whose validation accuracy equals that of another: the control of a comparison at the same accuracy. It is a
 * function of the report's numbers alone.
 *
 * Networks under several strengths of `tuned` are compared with those of `to` by the mean over the seeds that all of them have.
 *
 * @throws {WeirError} for networks that were measured on test images, for a regularizer that no network has, and without a common seed
 * @example const { best } = matchedStrength(report, { tuned: 'weight-decay', to: 'rep-spectral' });
 */
export function matchedStrength(
  { networks }: Pick<Report, 'networks'>,
  { tuned, to }: { readonly tuned: string; readonly to: string },
): MatchedStrength {
  const tested = networks.find(({ config }) => config?.evaluateOn !== 'validation');
  if (tested !== undefined) {
    throw new WeirError(
      `network '${tested.name}' of ${tested.run} was measured on test images, by which no strength may be chosen`,
      'run the sweep with --set evaluateOn=validation',
    );
  }
  const [own, other] = [tuned, to].map((kind) => accuraciesOf(networks, kind)) as [Strengths, Strengths];
  if (other.size > 1) {
    throw new WeirError(
      `the networks of '${to}' have several strengths: ${[...other.keys()].join(', ')}`,
      `match to one of them: leave the grid to the strength of '${tuned}'`,
    );
  }
  const [reference] = other.values();
  const all = [...own.values(), reference!];
  const seeds = [...reference!.keys()].filter((seed) => all.every((one) => one.has(seed)));
  if (seeds.length === 0) {
    throw new WeirError(
      `no seed has a measured network of '${to}' and of every strength of '${tuned}'`,
      'wait until the sweep is done, or run the seeds that are missing',
    );
  }
  const mean = (one: ReadonlyMap<number, number>): number =>
    seeds.reduce((sum, seed) => sum + one.get(seed)!, 0) / seeds.length;
  const accuracy = mean(reference!);
  const tried = [...own]
    .map(([gamma, one]) => ({ gamma, accuracy: mean(one), networks: seeds.length }))
    .sort((a, b) => a.gamma - b.gamma);
  const off = (one: TunedStrength): number => Math.abs(one.accuracy - accuracy);
  const best = tried.reduce((best, one) => (off(one) < off(best) ? one : best));
  const next = between(tried, accuracy);
  return { tuned, to, accuracy, tried, best, ...(next !== undefined && { next }) };
}

/** Accuracies by strength and seed. */
type Strengths = ReadonlyMap<number, ReadonlyMap<number, number>>;

function accuraciesOf(networks: readonly NetworkReport[], kind: string): Strengths {
  const found = new Map<number, Map<number, number>>();
  for (const { regularizer, seed, testAccuracy, config = {} } of networks) {
    if (regularizer !== kind || testAccuracy === null) continue;
    const { gamma, gammas = {} } = config as { gamma: number; gammas?: Readonly<Record<string, number>> };
    const strength = gammas[kind] ?? gamma;
    found.set(strength, (found.get(strength) ?? new Map<number, number>()).set(seed, testAccuracy));
  }
  if (found.size > 0) return found;
  const kinds = [...new Set(networks.map(({ regularizer }) => regularizer))];
  throw new WeirError(
    `no measured network has the regularizer '${kind}'`,
    suggestion(kind, kinds, `there are ${kinds.join(', ')}`),
  );
}

/** Where the accuracy crosses the wanted one between two neighbors, the first time. */
function between(tried: readonly TunedStrength[], accuracy: number): number | undefined {
  for (const [i, b] of tried.entries()) {
    const a = tried[i - 1];
    if (a === undefined || a.gamma === 0 || (a.accuracy - accuracy) * (b.accuracy - accuracy) >= 0) continue;
    const part = (accuracy - a.accuracy) / (b.accuracy - a.accuracy);
    return a.gamma * (b.gamma / a.gamma) ** part;
  }
  return undefined;
}

/** The match as lines of text. */
export function matchLines({ tuned, to, accuracy, tried, best, next }: MatchedStrength): string[] {
  const percent = (fraction: number): string => `${(100 * fraction).toFixed(2)} %`;
  return [
    `validation accuracy of ${to}, mean over ${best.networks} seed${best.networks === 1 ? '' : 's'}: ${percent(accuracy)}`,
    ...tried.map((one) => `  ${tuned} γ = ${one.gamma}: ${percent(one.accuracy)}${one === best ? '  nearest' : ''}`),
    ...(next === undefined ? [] : [`  equal at γ ≈ ${Number(next.toPrecision(3))}, by a line over log γ`]),
    `--set 'gammas={"${tuned}":${best.gamma}}'`,
  ];
}
