import { namesOf } from '../measure/attack/distance-figure.js';
import { missingInAttack } from '../measure/attack/record.js';
import { commonSentence } from '../measure/networks/common-samples.js';
import {
  apart,
  type Comparison,
  compareDistances,
  compared,
  correction,
  DISTANCE,
  familyOf,
  probability,
  type Ranked,
  type Ranking,
  ranked,
  rivals,
} from '../measure/networks/comparison.js';
import { contradictionSentence } from '../measure/networks/distance-bounds.js';
import { groups, settingsOf } from '../measure/networks/groups.js';
import type { NetworkReport, Report } from '../measure/networks/record.js';
import {
  correctSamples,
  fitSentences,
  foundSamples,
  measureCalled,
  readoutFits,
  summarizeNetwork,
} from '../measure/networks/summary.js';
import { unregularized } from '../plot/style.js';
import { number, percent, plusMinus } from '../plot/table.js';

/** The verdict on which representation is more robust, a paragraph for each setting; it claims nothing that the intervals do not support. */
export function verdict(report: Report): string {
  const all = groups(report);
  if (all.length === 0) return 'The report holds no network.';
  const several = new Set(all.map((group) => group.pipeline)).size > 1;
  const said = ranked(all).map((ranking) => {
    const { pipeline, setting } = ranking;
    const where = [...(several ? [pipeline] : []), ...(setting ? [setting] : [])].join(', ');
    return where ? `${where}: ${ofSetting(report, ranking)}` : ofSetting(report, ranking);
  });
  return [contradictionSentence(report.networks), ...said].filter(Boolean).join('\n');
}

function ofSetting(report: Report, ranking: Ranking): string {
  const [best, second] = ranking.ranked;
  if (!best) return nothingFound(report, ranking);
  const said = rivals(ranking).flatMap(({ other }) => {
    const plain = unregularized(other.group.regularizer);
    const introduction = plain ? 'the unregularized network has' : `second is ${other.group.regularizer}, with`;
    return [
      against(report, best, other, introduction),
      onCommon(report, best, other),
      ...(plain ? [accuracy(best, other)] : []),
    ];
  });
  return [lead(best, ranking.ranked.length), ...said, caveat(best, second)].filter(Boolean).join(' ');
}

function nothingFound({ networks }: Report, { pipeline, setting }: Ranking): string {
  const own = networks.filter((network) => network.pipeline === pipeline && (network.setting ?? '') === setting);
  if (own.some(({ attack }) => (attack?.samples ?? []).length > 0)) return foundNone(own);
  return own.some(({ readout }) => readout?.attack)
    ? 'The networks were attacked with refitted readouts alone: their distances stand with those.'
    : [...otherAttacks(own), 'No attack counts here, so nothing is said of their robustness.'].join(' ');
}

/** Δx is that of the first attack; what the others found stands beside it, and is no ground to compare networks by. */
function foundNone(networks: readonly NetworkReport[]): string {
  const found = networks.flatMap(({ attack }) => attack?.portfolio ?? []);
  const nothing = 'so nothing can be said of their robustness';
  if (found.length === 0) return `No adversarial sample was found for any network, ${nothing}.`;
  return `The first attack, ${namesOf(networks)}, found no adversarial sample for any network, ${nothing} by its Δx. What other attacks found is the best Δx below.`;
}

/** The streams of attacks that the report does not compare networks by, a sentence each with the fields that they lack. */
function otherAttacks(networks: readonly NetworkReport[]): string[] {
  const found = networks.flatMap(({ measurements = {} }) =>
    Object.entries(measurements).flatMap(([stream, { description }]) => {
      const missing = missingInAttack(description);
      if (description.role !== 'attack' || missing.length === 0) return [];
      return [
        `The attack ${description.name} (stream ${stream}) is shown as a measurement: to compare networks by it, its record needs ${missing.join(', ')} too.`,
      ];
    }),
  );
  return [...new Set(found)];
}

function lead({ group, summary, distance }: Ranked, compared: number): string {
  const { networks } = summary;
  const values = summary.meanDistance.values.length;
  const only = summarizeNetwork(group.networks[0]!);
  const error = values > 1 ? summary.meanDistance.standardError : only.standardError;
  const over =
    values > 1
      ? `${values} ${values === networks ? 'networks' : 'seeds'}`
      : `${only.found} test samples${networks > 1 ? ' of one network' : ''}`;
  const attack = namesOf(group.networks);
  const by = attack === '' ? '' : ` by ${attack}`;
  const size = `Δx = ${plusMinus(distance, error)}${by} (mean ± standard error over ${over})`;
  const who = unregularized(group.regularizer) ? 'The unregularized network' : group.regularizer;
  if (compared === 1) return `${who} has a mean adversarial distance of ${size}; there is no other to compare it with.`;
  return `${who} has the largest mean adversarial distance: ${size}.`;
}

function against(report: Report, best: Ranked, other: Ranked, introduction: string): string {
  const value = `${capital(introduction)} ${number(other.distance)}`;
  const comparison = compareDistances(best.group, other.group);
  if (!comparison) return `${value}.`;
  const { lower, upper, over, paired, n } = comparison;
  if (lower === null || upper === null) {
    return `${value}; the difference is ${number(comparison.value)}, and there are too few values for an interval.`;
  }
  const basis = `${paired ? 'paired over' : 'unpaired,'} ${n} ${over === 'seeds' ? 'seeds' : 'test samples'}${paired ? '' : ' or more a side'}`;
  const corrected = familyOf(report).corrected(best.group, other.group, DISTANCE, over);
  const test = corrected === null ? '' : `; p ${probability(corrected)} with ${correction(report)}`;
  return `${value}; the difference is ${number(comparison.value)} (95 % interval ${number(lower)} to ${number(upper)}, ${basis}${test}), ${reading(comparison, corrected)}.`;
}

/** The difference over the images that the networks of a seed share, where their own are not the same; '' else. */
function onCommon(report: Report, { group: a }: Ranked, { group: b }: Ranked): string {
  const networks = [...a.networks, ...b.networks];
  const same = networks.every(({ attack }) => attack?.common?.samples === foundSamples({ attack }).length);
  const difference = same ? null : compared(report, [a, b], COMMON);
  return difference === null ? '' : `Over common samples the difference is ${apart(difference)}.`;
}

const COMMON = measureCalled('Mean Δx, common samples');

function reading({ lower, upper, over }: Comparison, corrected: number | null): string {
  if (lower! <= 0 && upper! >= 0) return 'which includes zero: these results do not tell the two apart';
  if (corrected !== null && corrected >= 0.05) {
    return 'which leaves zero out for one test alone, but not for as many as were made: these results do not tell the two apart';
  }
  if (upper! < 0) return 'which is below zero: over what both have in common, the order is the other way round';
  return over === 'seeds' ? 'more than the seeds explain' : 'more than the choice of test samples explains';
}

function accuracy(best: Ranked, baseline: Ranked): string {
  const [mine, theirs] = [best.summary.testAccuracy.mean, baseline.summary.testAccuracy.mean];
  if (mine === null || theirs === null) return '';
  const points = 100 * (mine - theirs);
  const size = `${Math.abs(points).toFixed(1)} points ${points < 0 ? 'below' : 'above'}`;
  const relation = Math.abs(points) < 0.05 ? 'the same as' : size;
  return `Test accuracy under ${best.group.regularizer} is ${percent(mine)}, ${relation} the unregularized ${percent(theirs)}.`;
}

function caveat(best: Ranked, second: Ranked | undefined): string {
  const seeds = Math.min(best.summary.seeds, second?.summary.seeds ?? Infinity);
  if (seeds === 1) return 'With one seed this says nothing of how another training would come out.';
  if (seeds < 5) return `With ${seeds} seeds the intervals are rough.`;
  return '';
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Samples that the means leave out and seeds that occur twice, a sentence each. */
export function remarks(report: Report): string[] {
  const fitText = fitSentences(report.networks.flatMap(readoutFits));
  return [...(fitText ? [fitText] : []), ...commons(report), ...ofGroups(report)];
}

/** How many images networks share, a sentence for each pipeline and setting that compares any. */
function commons({ networks }: Report): string[] {
  const pipelines = [...new Set(networks.map(({ pipeline }) => pipeline))];
  return pipelines.flatMap((pipeline) => {
    const own = networks.filter((network) => network.pipeline === pipeline);
    const settings = settingsOf(own);
    return settings.flatMap((setting) => {
      const said = commonSentence(own.filter((network) => (network.setting ?? '') === setting));
      const where = [...(pipelines.length > 1 ? [pipeline] : []), ...(settings.length > 1 ? [setting] : [])];
      return said === '' ? [] : [where.length > 0 ? `${where.join(', ')}: ${said}` : said];
    });
  });
}

function ofGroups(report: Report): string[] {
  return groups(report).flatMap(({ label, networks }) => {
    const correct = networks.reduce((sum, network) => sum + correctSamples(network).length, 0);
    const missing = networks.flatMap((network) => {
      const found = new Set(foundSamples(network).map(({ index }) => index));
      return correctSamples(network).filter(({ index }) => !found.has(index));
    });
    const outcomes = [...new Set(missing.map(({ outcome }) => outcome))].join(', ');
    const seeds = networks.map(({ seed }) => seed);
    const twice = [...new Set(seeds.filter((seed, i) => seeds.indexOf(seed) !== i))];
    return [
      ...(missing.length > 0
        ? [
            `${label}: ${missing.length} of ${correct} correctly classified samples came out without an adversarial one (${outcomes}); means and medians leave them out, so they are no larger than the true ones.`,
          ]
        : []),
      ...(twice.length > 0
        ? [
            `${label}: seed ${twice.join(', ')} is there more than once; means and intervals count each seed once, by the mean of its networks.`,
          ]
        : []),
    ];
  });
}
