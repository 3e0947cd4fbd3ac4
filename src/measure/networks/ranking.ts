import { WeirError } from '../../flow/errors.js';
import { suggestion } from '../../flow/options.js';
import { unregularized } from '../../plot/style.js';
import type { Role } from '../../storage/record.js';
import { groups, type SeedGroup } from './groups.js';
import type { NetworkReport, Report } from './record.js';
import { MEASURES, type Measure, type Spread, spread } from './summary.js';

/** A setting and regularizer among all that a report holds, in order of one measure. */
export interface Placed {
  /** From 1 on; null where the measure is missing. */
  readonly place: number | null;
  readonly group: SeedGroup;
  /** A value for each key that differs between settings; 'any' where the networks came out the same under all its values. */
  readonly values: readonly string[];
  readonly measured: Spread;
  readonly accuracy: Spread;
  readonly distance: Spread;
}

/** Every setting of one pipeline, the best first. */
export interface SettingRanking {
  readonly measure: Measure;
  readonly better: 'higher' | 'lower';
  /** The keys that differ between settings. */
  readonly keys: readonly string[];
  readonly placed: readonly Placed[];
}

/**
 * The report as one that says which setting is the best.
 *
 * @param best the result to rank by, such as 'tests.accuracy'; 'usual' for that one, or else another that was measured of the trained
 * networks, which a note then names: never one of the training itself; none: the report as it is
 * @throws {WeirError} where no network has the result, or its field does not declare which values are better; names those that serve
 */
export function rankedReport(report: Report, best: string | undefined): Report {
  if (best === undefined) return report;
  const known = resultsOf(report.networks);
  const serving = [...known].flatMap(([name, better]) => (better === undefined ? [] : [name]));
  if (best === 'usual') return usuallyRanked(report, serving);
  if (serving.includes(best)) return { ...report, rankedBy: best };
  const all = serving.length === 0 ? 'none of these runs has one yet' : `results to rank by: ${serving.join(', ')}`;
  if (known.has(best)) {
    throw new WeirError(`the field '${best}' does not declare whether higher or lower is better`, all);
  }
  throw new WeirError(`no network has a result '${best}'`, suggestion(best, serving, all));
}

const USUAL = 'tests.accuracy';

/** The roles of streams that a default is taken from, where there is no test accuracy; then those of any other measurement. */
const MEASURED: readonly (Role | undefined)[] = ['test', 'readout', 'attack'];

/** The roles of streams that say how a training went, and not what came of it. */
const TRAINED: readonly (Role | undefined)[] = ['training', 'spectrum', 'ending'];

function usuallyRanked(report: Report, serving: readonly string[]): Report {
  if (serving.includes(USUAL)) return { ...report, rankedBy: USUAL };
  if (serving.length === 0) return report;
  const all = new Map(report.networks.flatMap(({ results = {} }) => Object.entries(results)));
  const measured = serving.filter((name) => !TRAINED.includes(all.get(name)!.role));
  const main = measured.filter((name) => all.get(name)!.headline);
  const [first] = MEASURED.flatMap((role) => main.filter((name) => all.get(name)!.role === role));
  const rankedBy = first ?? main[0] ?? measured[0];
  const said =
    rankedBy === undefined
      ? 'Settings are not ranked: nothing but the training was measured'
      : `Settings are ranked by ${rankedBy}, for no test accuracy was measured`;
  const note = `${said}. To rank by one of ${serving.join(', ')}: --best.`;
  return { ...report, notes: [...report.notes, note], ...(rankedBy !== undefined && { rankedBy }) };
}

/** The results of some networks, and which of their values are better. */
function resultsOf(networks: readonly NetworkReport[]): Map<string, 'higher' | 'lower' | undefined> {
  return new Map(
    networks.flatMap(({ results = {} }) => Object.entries(results).map(([name, { better }]) => [name, better])),
  );
}

/**
 * All settings and regularizers of the report's pipeline in order of the mean of `report.rankedBy`; null where it is not to be ranked.
 *
 * Unregularized networks that came out the same under several settings, as where a key acts on the regularizer alone, have one place.
 */
export function settingRanking(report: Report): SettingRanking | null {
  const { rankedBy, pipeline, networks } = report;
  if (rankedBy === undefined) return null;
  const own = networks.filter((network) => network.pipeline === pipeline);
  const result = own.flatMap(({ results }) => results?.[rankedBy] ?? [])[0];
  if (result?.better === undefined) return null;
  const { better, unit } = result;
  const of = (network: NetworkReport) => network.results?.[rankedBy]?.value ?? null;
  const [stream = ''] = rankedBy.split('.');
  const other = own.some(({ measurements = {} }) => Object.hasOwn(measurements, stream)); // of a name of its own, whatever its values
  const known = MEASURES.find((measure) => !other && own.every((network) => measure.of(network) === of(network)));
  const fraction = unit === 'fraction';
  const measure = known ?? { name: `${rankedBy}${fraction ? ', %' : ''}`, of, scale: fraction ? 100 : 1 };
  const { keys = [], conditions = [] } = report.differences?.find((one) => one.pipeline === pipeline) ?? {};
  const unplaced = merged(groups({ ...report, networks: own })).map((alike) => {
    const all = alike.map(({ setting }) => conditions.find((one) => one.setting === setting)?.values);
    const group = alike[0]!;
    return {
      group,
      values: keys.map((_, i) => {
        const values = new Set(all.map((one) => one?.[i] ?? '–'));
        return values.size === 1 ? [...values][0]! : 'any';
      }),
      measured: spread(group.networks, of),
      accuracy: spread(group.networks, ({ testAccuracy }) => testAccuracy),
      distance: spread(group.networks, MEASURES.find(({ name }) => name === 'Mean Δx')!.of),
    };
  });
  const sign = better === 'higher' ? -1 : 1;
  const order = ({ measured: { mean } }: { measured: Spread }) =>
    mean === null ? Number.POSITIVE_INFINITY : sign * mean;
  const sorted = unplaced.sort((a, b) => order(a) - order(b) || 0);
  const placed = sorted.map((one, i) => ({ ...one, place: one.measured.mean === null ? null : i + 1 }));
  return { measure, better, keys, placed };
}

/** Groups that are to have one place: the unregularized ones with the same results, and else each by itself. */
function merged(all: readonly SeedGroup[]): SeedGroup[][] {
  const alike = new Map<string, SeedGroup[]>();
  for (const group of all) {
    const { setting, regularizer, networks } = group;
    const same = networks.map(({ seed, results, sigma }) => [seed, results, sigma]);
    const key = JSON.stringify([regularizer, unregularized(regularizer) ? same : setting]);
    alike.set(key, [...(alike.get(key) ?? []), group]);
  }
  return [...alike.values()];
}

/** The places that no other is better than in both accuracy and mean Δx, by rising accuracy. */
export function frontOf({ placed }: SettingRanking): Placed[] {
  const points = placed.filter(({ accuracy, distance }) => accuracy.mean !== null && distance.mean !== null);
  const beats = (a: Placed, b: Placed): boolean =>
    a.accuracy.mean! >= b.accuracy.mean! &&
    a.distance.mean! >= b.distance.mean! &&
    (a.accuracy.mean! > b.accuracy.mean! || a.distance.mean! > b.distance.mean!);
  return points
    .filter((point) => !points.some((other) => beats(other, point)))
    .sort((a, b) => a.accuracy.mean! - b.accuracy.mean!);
}
