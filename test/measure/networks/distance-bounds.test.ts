import { expect, test } from 'vitest';
import { attackOf } from '../../../src/measure/attack/attacked.js';
import { attackRecord } from '../../../src/measure/attack/record.js';
import { contradictions, distanceBounds } from '../../../src/measure/networks/distance-bounds.js';
import type { NetworkReport } from '../../../src/measure/networks/record.js';
import { reportJson } from '../../../src/report/json.js';
import { verdict } from '../../../src/report/verdict.js';
import { network, report, sample } from '../../report/example.js';

const line = (index: number, distance: number, lower?: number) => ({
  ...{ number: 7, index, label: 1, predicted: 1, adversarialLabel: 2, outcome: 'found', distance, queries: 9 },
  ...(lower !== undefined && { lower, method: 'crown' }),
});
const stream = (name: string, ...lines: ReturnType<typeof line>[]) => ({
  stream: name,
  description: attackRecord(name).description,
  lines,
});

test('of several attacks each sample has the smallest distance and the largest bound, whoever they are by', () => {
  const first = stream('Tangent Attack', line(3, 2, 0.5), line(1, 1));
  const attack = attackOf([first, stream('DDN', line(1, 1.5, 0.75), line(3, 1.75, 0.25), line(8, 4, 1))])!;
  expect(attack.bounds).toEqual([
    { index: 1, label: 1, predicted: 1, upper: 1, by: 'Tangent Attack', lower: 0.75, method: 'crown' },
    { index: 3, label: 1, predicted: 1, upper: 1.75, by: 'DDN', lower: 0.5, method: 'crown' },
    { index: 8, label: 1, predicted: 1, upper: 4, by: 'DDN', lower: 1, method: 'crown' },
  ]);
  expect(attack.samples.map(({ index, lower, upper }) => [index, lower, upper])).toEqual([
    [3, 0.5, 1.75],
    [1, 0.75, 1],
  ]);
});

test('a bound above a distance is never passed over: of two attacks, or of a certificate of the same weights', () => {
  const attack = attackOf([stream('Tangent Attack', line(1, 1)), stream('DDN', line(1, 1.5, 1.25))])!;
  const attacked = network('none', 0, [], { attack });
  expect(contradictions([attacked])).toMatchObject([{ index: 1, upper: 1, by: 'Tangent Attack', lower: 1.25 }]);

  const l2 = { l1: 0, l2: 1.125, linf: 0 };
  const of = (number: number): NetworkReport =>
    network('none', 0, [], {
      attack: { number: 7, iterations: 40, samples: [sample(4, 1, { lower: null })] },
      certificates: [
        { index: 4, number, lower: l2, local: l2, method: 'sdp' } as NonNullable<NetworkReport['certificates']>[0],
      ],
    });
  expect(distanceBounds(of(6))[0]!.lower).toBeNull();
  const whole = report([of(7)]);
  expect(verdict(whole)).toMatch(
    /^Contradiction: a sample has .* sample 4 of none, seed 0 in runs\/one: lower bound 1\.125 \(by sdp\), distance 1\./,
  );
  expect(JSON.parse(reportJson(whole)).contradictions).toMatchObject([{ index: 4, lower: 1.125, upper: 1 }]);
  expect(JSON.parse(reportJson(report([network('none', 0, [1])]))).contradictions).toEqual([]);
});
