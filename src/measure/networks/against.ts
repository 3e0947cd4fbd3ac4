import { number } from '../../plot/format.js';
import { type Compared, compared, correction, probability, tested } from './comparisons.js';
import type { Measure } from './measures.js';
import type { Report } from './record.js';
import type { Group } from './report-groups.js';

/** rep-spectral against the unregularized network and against ll-spectral in one measure, a sentence; '' where there is none. */
export function against(report: Report, groups: readonly Group[], measure: Measure, what: string): string {
  const rep = groups.find(({ regularizer }) => regularizer === 'rep-spectral');
  const pairs = ['none', 'll-spectral'].flatMap((name) => {
    const other = groups.find(({ regularizer }) => regularizer === name);
    return (rep && other && compared(report, [rep, other], measure)) ?? [];
  });
  if (pairs.length === 0) return '';
  const tests = [...new Set(pairs.map(tested))];
  const each = pairs.map(
    (pair) => `less ${pair.b.regularizer} ${apart(pair)}${tests.length > 1 ? ` (${tested(pair)})` : ''}`,
  );
  return `${what}, rep-spectral${tests.length === 1 ? ` (${tests[0]}${basis(report, pairs)})` : ''} ${each.join('; ')}.`;
}

/** What stands behind the name of the test of some pairs: what is in brackets, and how p was corrected. */
export function basis(report: Report, pairs: readonly Compared[]): string {
  if (pairs.every(({ test }) => test === null)) return '';
  const corrected = pairs.some((pair) => pair.corrected !== null) ? correction(report) : '';
  return `, 95 % interval of each alone${corrected && `, p by itself and with ${corrected}`}`;
}

/** The difference of a pair with its interval and p, as far as seeds can tell. */
export function apart({ difference, measure: { scale }, test, corrected }: Compared): string {
  const size = `${difference >= 0 ? '+' : ''}${number(scale * difference)}`;
  if (test === null || test.lower === null) return size;
  const holm = corrected === null ? '' : ` (Holm ${probability(corrected)})`;
  const p = test.p === null ? '' : `, p ${probability(test.p)}${holm}`;
  return `${size} [${number(scale * test.lower, 2)} to ${number(scale * test.upper!, 2)}]${p}`;
}
