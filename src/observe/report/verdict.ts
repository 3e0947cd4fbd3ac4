import { type Comparison, compareDistances } from './compare.js';
import type { Report } from './data.js';
import { number, percent, plusMinus } from './format.js';
import { type Group, groups } from './groups.js';
import { type GroupSummary, summariseGroup, summariseNetwork } from './summary.js';
import { unregularised } from './transfer.js';

interface Ranked {
  readonly group: Group;
  readonly summary: GroupSummary;
  readonly distance: number;
}

/** What the numbers say about which representation is more robust, as one paragraph a setting: no more than they can carry. */
export function verdict(report: Report): string {
  const all = groups(report);
  if (all.length === 0) return 'The report holds no network.';
  const several = new Set(all.map((group) => group.pipeline)).size > 1;
  const parts = new Map(all.map(({ pipeline, setting }) => [`${pipeline}\n${setting}`, { pipeline, setting }]));
  return [...parts.values()]
    .map(({ pipeline, setting }) => {
      const said = ofSetting(all.filter((group) => group.pipeline === pipeline && group.setting === setting));
      const where = [...(several ? [pipeline] : []), ...(setting ? [setting] : [])].join(', ');
      return where ? `${where}: ${said}` : said;
    })
    .join('\n');
}

function ofSetting(all: readonly Group[]): string {
  const ranked = all
    .flatMap((group): Ranked[] => {
      const summary = summariseGroup(group);
      const distance = summary.meanDistance.mean;
      return distance === null ? [] : [{ group, summary, distance }];
    })
    .sort((a, b) => b.distance - a.distance);
  const best = ranked[0];
  if (!best) return 'No adversarial sample was found for any network, so nothing can be said of their robustness.';
  const others = ranked.slice(1);
  const baseline = others.find(({ group }) => unregularised(group.regulariser));
  const second = others[0];
  const sentences = [lead(best, ranked.length)];
  if (second && second !== baseline)
    sentences.push(against(best, second, `second is ${second.group.regulariser}, with`));
  if (baseline) sentences.push(against(best, baseline, 'the unregularised network has'), accuracy(best, baseline));
  return [...sentences, caveat(best, second)].filter((sentence) => sentence !== '').join(' ');
}

function lead({ group, summary, distance }: Ranked, compared: number): string {
  const { networks } = summary;
  const values = summary.meanDistance.values.length;
  const only = summariseNetwork(group.networks[0]!);
  const error = values > 1 ? summary.meanDistance.standardError : only.standardError;
  const over = values > 1 ? `${values} networks` : `${only.found} test samples${networks > 1 ? ' of one network' : ''}`;
  const size = `Δx = ${plusMinus(distance, error)} (mean ± standard error over ${over})`;
  const who = unregularised(group.regulariser) ? 'The unregularised network' : group.regulariser;
  if (compared === 1) return `${who} has a mean adversarial distance of ${size}; there is no other to compare it with.`;
  return `${who} has the largest mean adversarial distance: ${size}.`;
}

function against(best: Ranked, other: Ranked, introduction: string): string {
  const value = `${capital(introduction)} ${number(other.distance)}`;
  const comparison = compareDistances(best.group, other.group);
  if (!comparison) return `${value}.`;
  const { lower, upper, over, paired, n } = comparison;
  if (lower === null || upper === null) {
    return `${value}; the difference is ${number(comparison.value)}, and there are too few values for an interval.`;
  }
  const basis = `${paired ? 'paired over' : 'unpaired,'} ${n} ${over === 'seeds' ? 'seeds' : 'test samples'}${paired ? '' : ' or more a side'}`;
  return `${value}; the difference is ${number(comparison.value)} (95 % interval ${number(lower)} to ${number(upper)}, ${basis}), ${reading(comparison)}.`;
}

function reading({ lower, upper, over }: Comparison): string {
  if (lower! <= 0 && upper! >= 0) return 'which includes zero: these results do not tell the two apart';
  if (upper! < 0) return 'which is below zero: over what both have in common, the order is the other way round';
  return over === 'seeds' ? 'more than the seeds explain' : 'more than the choice of test samples explains';
}

function accuracy(best: Ranked, baseline: Ranked): string {
  const [mine, theirs] = [best.summary.testAccuracy.mean, baseline.summary.testAccuracy.mean];
  if (mine === null || theirs === null) return '';
  const points = 100 * (mine - theirs);
  const size = `${Math.abs(points).toFixed(1)} points ${points < 0 ? 'below' : 'above'}`;
  const relation = Math.abs(points) < 0.05 ? 'the same as' : size;
  return `Test accuracy under ${best.group.regulariser} is ${percent(mine)}, ${relation} the unregularised ${percent(theirs)}.`;
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
