import { type Compared, compared, probability, tested } from '../comparisons.js';
import { number } from '../format.js';
import type { Group } from '../groups.js';
import type { Measure } from '../measures.js';

/** rep-spectral against the unregularised network and against ll-spectral in one measure, a sentence; '' where there is none. */
export function against(groups: readonly Group[], measure: Measure, what: string): string {
  const rep = groups.find(({ regulariser }) => regulariser === 'rep-spectral');
  const pairs = ['none', 'll-spectral'].flatMap((name) => {
    const other = groups.find(({ regulariser }) => regulariser === name);
    return (rep && other && compared(rep, other, measure)) ?? [];
  });
  if (pairs.length === 0) return '';
  const tests = [...new Set(pairs.map(tested))];
  const each = pairs.map(
    (pair) => `less ${pair.b.regulariser} ${apart(pair)}${tests.length > 1 ? ` (${tested(pair)})` : ''}`,
  );
  return `${what}, rep-spectral${tests.length === 1 ? ` (${tests[0]}${pairs[0]!.test ? ', 95 % interval' : ''})` : ''} ${each.join('; ')}.`;
}

/** The difference of a pair with its interval and p, as far as seeds can tell. */
export function apart({ difference, measure: { scale }, test }: Compared): string {
  const size = `${difference >= 0 ? '+' : ''}${number(scale * difference)}`;
  if (test === null || test.lower === null) return size;
  const p = test.p === null ? '' : `, p ${probability(test.p)}`;
  return `${size} [${number(scale * test.lower, 2)} to ${number(scale * test.upper!, 2)}]${p}`;
}
