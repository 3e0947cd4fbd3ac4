import { mean } from '../../plot/statistics.js';
import { count, NONE, plusMinus, table } from '../../plot/table.js';
import { groups } from '../networks/groups.js';
import type { Report } from '../networks/record.js';

/** Which attack gives the upper bounds, a row for each attack on the networks of a regularizer; '' where no network has two. */
export function portfolioTable(report: Report): string {
  const rows = groups(report).flatMap(({ label, networks }) => {
    const all = networks.flatMap(({ attack }) => attack?.portfolio ?? []);
    const names = [...new Set(all.flatMap(({ attacks }) => attacks.map(({ name }) => name)))];
    const samples = sum(all.map((each) => each.samples));
    const own = names.map((name) => {
      const standings = all.flatMap(({ attacks }) => attacks.filter((each) => each.name === name));
      const distances = standings.flatMap(({ meanDistance }) => meanDistance ?? []);
      return [
        label,
        name,
        standings[0]!.kind ?? NONE,
        `${count(sum(standings.map(({ best }) => best)))} of ${count(samples)}`,
        plusMinus(distances.length > 0 ? mean(distances) : null, null, 3),
        count(mean(standings.map(({ meanQueries }) => meanQueries))),
      ];
    });
    if (own.length === 0) return [];
    const best = plusMinus(mean(all.map(({ meanBest }) => meanBest)), null, 3);
    return [...own, [label, 'the best of each sample', NONE, NONE, best, NONE]];
  });
  if (rows.length === 0) return '';
  return table(
    'Several attacks on the same samples: the smallest verified distance of each is its upper bound. How often it is which attack’s, and the mean distance of each attack alone, over the samples that all of them were on; means over networks. Queries are the mean a sample.',
    ['Regularizer', 'Attack', 'Sees', 'Best', 'Mean Δx', 'Queries'],
    rows,
  );
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
