import { expect, test } from 'vitest';
import { comparisons } from '../../../src/measure/networks/comparison.js';
import { groups } from '../../../src/measure/networks/groups.js';
import type { NetworkReport } from '../../../src/measure/networks/record.js';
import { summarizeGroup } from '../../../src/measure/networks/summary.js';
import { reportJson } from '../../../src/report/json.js';
import { remarks } from '../../../src/report/verdict.js';
import { network, report, sample } from '../../report/example.js';

/** A network whose results say what they were started from, or, as logs of older builds, do not. */
const attacked = (regularizer: string, seed: number, distance: number, start: string | null): NetworkReport =>
  network(regularizer, seed, [], { attack: { iterations: 40, samples: [sample(0, distance, { start })] } });

const mixed = report([
  attacked('none', 0, 3, null),
  attacked('none', 1, 1, 'noise'),
  attacked('rep-spectral', 0, 4, null),
  attacked('rep-spectral', 1, 2, 'image'),
]);

test('distances of the older start are not pooled with others, nor held against them', () => {
  const means = groups(mixed).map((group) => [group.label, summarizeGroup(group).meanDistance.values]);
  expect(Object.fromEntries(means)).toEqual({
    none: [1],
    'rep-spectral': [2],
    'attacked by an older Weir: none': [3],
    'attacked by an older Weir: rep-spectral': [4],
  });
  for (const { measure, difference } of comparisons(mixed)) if (measure.name === 'Mean Δx') expect(difference).toBe(1);
});

test('the report says so, and its JSON for every sample', () => {
  const [first, ...others] = remarks(mixed).filter((text) => text.includes('older'));
  expect(first).toBe(
    'attacked by an older Weir: none: a network was attacked by an older Weir (runs/one), whose attack had a start that makes distances too long, single ones by two thirds or more; weir attack RUN attacks again.',
  );
  expect(others).toHaveLength(1);
  const { networks } = JSON.parse(reportJson(mixed));
  const starts = networks.map((one: { attack: { samples: { start: string }[] } }) => one.attack.samples[0]!.start);
  expect(starts.sort()).toEqual(['image', 'noise', 'older', 'older']);
  expect(remarks(report([attacked('none', 0, 3, 'noise')]))).toEqual([]);
});
