import { holm } from '../../plot/student.js';
import { type Comparison, compareDistances, compareSeeds } from './compare.js';
import { measured } from './measures.js';
import { ranked, rivals } from './ranking.js';
import type { Report } from './record.js';
import { type Group, groups, opposed } from './report-groups.js';

/** All tests of a whole report, for which the p of each is corrected by Holm's method. */
export interface Family {
  readonly tests: number;
  /** p of a comparison once all tests are allowed for; null where it was not tested, is none of this report's, or the only one. */
  corrected(a: Group, b: Group, measure: string, over: Comparison['over']): number | null;
}

const known = new WeakMap<Report, Family>();

/**
 * Every test that the report speaks of: the pairs of its comparisons in each measure over seeds, and those of its verdict. A part of
 * a report, such as a figure's, has the tests of the whole.
 */
export function familyOf(part: Report): Family {
  const report = part.whole ?? part;
  const family = known.get(report) ?? make(report);
  known.set(report, family);
  return family;
}

function make(report: Report): Family {
  const tests = new Map<string, number>();
  const add = (a: Group, b: Group, measure: string, test: Comparison | null): void => {
    if (test?.p != null) tests.set(keyOf(a, b, measure, test.over), test.p);
  };
  const all = groups(report);
  const measures = measured(report.networks);
  for (const [a, b] of opposed(all)) {
    for (const measure of measures) add(a, b, measure.name, compareSeeds(a, b, measure.of));
  }
  for (const ranking of ranked(all)) {
    for (const { best, other } of rivals(ranking)) {
      add(best.group, other.group, DISTANCE, compareDistances(best.group, other.group));
    }
  }
  const values = tests.size > 1 ? holm([...tests.values()]) : [];
  const corrected = new Map([...tests.keys()].flatMap((key, i) => (i in values ? [[key, values[i]!] as const] : [])));
  return {
    tests: tests.size,
    corrected: (a, b, measure, over) => corrected.get(keyOf(a, b, measure, over)) ?? null,
  };
}

/** The measure that the verdict compares. */
export const DISTANCE = 'Mean Δx';

/** The same whichever of the two comes first. */
function keyOf(a: Group, b: Group, measure: string, over: Comparison['over']): string {
  const { pipeline, setting } = a;
  return JSON.stringify([pipeline, setting, ...[a.regularizer, b.regularizer].sort(), measure, over]);
}
