import { expect, test } from 'vitest';
import { attackOf } from '../../../src/measure/attack/attacked.js';
import { meanCurve, queryCurves } from '../../../src/measure/attack/query-curve.js';
import { attackRecord } from '../../../src/measure/attack/record.js';
import { figures } from '../../../src/report/figures.js';
import { network, report, sample } from '../../report/example.js';

const curve = (...points: [queries: number, distance: number][]) => ({
  queries: points.map(([queries]) => queries),
  distance: points.map(([, distance]) => distance),
});

test('the mean of curves is that of steps, from where each has a point, at the mean queries of each step', () => {
  expect(meanCurve([curve([10, 4], [30, 2], [50, 1]), curve([20, 6], [40, 2])])).toEqual([
    { queries: 20, distance: 5 },
    { queries: 35, distance: 4 },
    { queries: 50, distance: 1.5 },
  ]);
});

test('curves are compared over the samples that every attack with curves found; others are left out', () => {
  const first = [0, 1, 2].map((index) => sample(index, 1, { curve: curve([10, 1 + index]) }));
  const second = [sample(0, 1, { curve: curve([5, 2]) }), sample(1, null, { curve: curve([5, 9]) }), sample(2, 1)];
  const attempts = [
    { name: 'one', samples: first },
    { name: 'two', samples: second },
    { name: 'no curves', samples: [sample(0, 1)] },
  ];
  expect(queryCurves(attempts)).toEqual([
    { name: 'one', kind: undefined, samples: 1, points: [{ queries: 10, distance: 1 }] },
    { name: 'two', kind: undefined, samples: 1, points: [{ queries: 5, distance: 2 }] },
  ]);
  expect(queryCurves([{ name: 'no curves', samples: [sample(0, 1)] }])).toEqual([]);
});

const attackLines = (name: string, ...distances: number[]) => ({
  stream: `${name}s`,
  description: attackRecord(name).description,
  lines: [0, 1].map((index) => ({
    index,
    label: 3,
    predicted: 3,
    outcome: 'found',
    distance: distances.at(-1)!,
    queries: 100 * distances.length,
    number: 7,
    kind: 'black-box',
    curve: curve(...distances.map((distance, k): [number, number] => [100 * (k + 1), distance])),
  })),
});

test('a figure has a line for each attack, whatever its name, and says how far each came', () => {
  const attack = attackOf([attackLines('walk', 4, 2, 1.5), attackLines('leap', 3, 2.5)])!;
  expect(attack.samples.every((one) => one.curve === undefined)).toBe(true); // the means stand in their place
  const drawn = (of: typeof attack) =>
    figures(report([network('none', 0, [1, 2], { attack: of })])).find(({ id }) => id === 'queries');
  const figure = drawn(attack)!;
  expect(figure.legend.map(({ label }) => label)).toEqual(['walk (black-box)', 'leap (black-box)']);
  expect(figure.outcome).toMatch(/walk 1\.5\d* after 300 queries, leap 2\.5\d* after 200 queries/);
  expect(figure.panels[0]!.svg.match(/<circle/g)).toHaveLength(5);
  const { curves: _, ...without } = attack;
  expect(drawn(without)).toBeUndefined();
});
