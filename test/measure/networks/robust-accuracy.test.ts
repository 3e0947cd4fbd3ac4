import { expect, test } from 'vitest';
import { attackOf } from '../../../src/measure/attack/attacked.js';
import { attackRecord } from '../../../src/measure/attack/record.js';
import { robustAccuracy, robustTable } from '../../../src/measure/attack/robust-figure.js';
import { fewEpsilons, robustCurve } from '../../../src/measure/networks/robust-accuracy.js';
import { reportJson } from '../../../src/report/json.js';
import { network, report, sample } from '../../report/example.js';

const samples = [
  sample(0, 1, { lower: 0.5 }),
  sample(1, 2, { lower: 1.5, upper: 1.75, by: 'DDN' }),
  sample(2, 3, { lower: null }),
  sample(3, null, { lower: 2 }),
];
const wrong = sample(4, null, { predicted: 9, outcome: 'already-misclassified', lower: 0 });
const attack = { iterations: 40, samples };

test('of the first right samples the shares are of the test accuracy: attacked by the nearest point, certified by the proved ones', () => {
  const curve = robustCurve(network('none', 0, [], { attack, testAccuracy: 0.8 }))!;
  const at = (epsilon: number) =>
    [curve.at(epsilon).attacked, curve.at(epsilon).certified!].map((share) => Number(share.toFixed(12)));
  expect(curve).toMatchObject({ samples: 4, proved: 3, end: 3 });
  expect(at(0)).toEqual([0.8, 0.8]);
  expect(at(1)).toEqual([0.6, Number(((0.8 * 2) / 3).toFixed(12))]); // a point at ε itself is found within ε
  expect(at(1.9)).toEqual([0.4, Number((0.8 / 3).toFixed(12))]);
  expect(at(9)).toEqual([0.2, 0]);
});

test('of the first samples the wrong ones count as 0, whatever the test accuracy', () => {
  const whole = { ...attack, choose: 'all' as const, samples: [...samples, wrong] };
  const curve = robustCurve(network('none', 0, [], { attack: whole, testAccuracy: null }))!;
  expect(curve.at(0)).toMatchObject({ attacked: 0.8, certified: 0.75 });
  expect(robustCurve(network('none', 0, [], { attack, testAccuracy: null }))).toBeNull();
  expect(robustCurve(network('none', 0, [], { attack: null }))).toBeNull();
});

test('figure, table and JSON: mean and deviation over seeds, the certified curve only where something is proved', () => {
  const unproved = samples.map((one) => ({ ...one, lower: null }));
  const whole = report([
    network('none', 0, [], { attack, testAccuracy: 0.8 }),
    network('none', 1, [], { attack, testAccuracy: 0.9 }),
    network('rep-spectral', 0, [], { attack: { ...attack, samples: unproved }, testAccuracy: 1 }),
  ]);
  const epsilons = fewEpsilons(whole.networks);
  expect(epsilons).toEqual([0, 1, 2, 3]);
  expect(robustTable(whole)).toContain('85.0 ± 7.1<br>proved 85.0 ± 7.1');
  // Of n of n samples Wilson's interval is from n / (n + z²) to 1.
  expect(robustTable(whole)).toContain('100.0 % (51.0 to 100.0), 4 samples');
  expect(robustTable(report([network('none', 0, [], { attack, testAccuracy: 0.8 })]))).toContain(
    '80.0 % (40.8 to 80.0), 4 samples<br>proved 80.0 % (35.1 to 80.0), 3 samples',
  );
  const { outcome, reading } = robustAccuracy(whole)!;
  expect(outcome).toContain('rep-spectral at most');
  expect(outcome).toMatch(/none at most [\d.]+ %, proved/);
  expect(reading).toContain('Lower, thin line: proved');
  expect(JSON.parse(reportJson(whole)).networks[2].robustAccuracy).toMatchObject({
    samples: 4,
    proved: 0,
    at: [{ epsilon: 0, attacked: 1, certified: null }, { epsilon: 1 }, { epsilon: 2 }, { epsilon: 3 }],
  });
  expect(robustAccuracy(report([network('none', 0, [], { attack: null })]))).toBeNull();
});

test('an attack at a fixed ε is a cross-check: named where it breaks more, an upper bound, and in no mean distance', () => {
  const line = (index: number, distance: number) => ({
    ...{ number: 7, index, label: 1, predicted: 1, adversarialLabel: 2, outcome: 'found', queries: 9 },
    distance,
  });
  const at = (index: number, distance: number) => ({ ...line(index, distance), epsilon: 1.5 });
  const stream = (name: string, lines: ReturnType<typeof line>[]) => ({
    ...{ stream: name, description: attackRecord(name).description, lines },
  });
  const within = stream('APGD', [at(0, 0.9), at(1, 1.4), at(2, Number.NaN), at(3, Number.NaN)]);
  const nearest = stream('DDN', [line(0, 1), line(1, 2), line(2, 3), line(3, 1.25)]);
  const attack = attackOf([within, nearest])!;
  expect(attack.name).toBe('DDN');
  expect(attack.samples.map(({ distance }) => distance)).toEqual([1, 2, 3, 1.25]);
  expect(attack.samples.map(({ upper }) => upper)).toEqual([0.9, 1.4, 3, 1.25]);
  expect(attack.portfolio!.attacks.map(({ meanDistance }) => meanDistance)).toEqual([7.25 / 4, null]);
  const whole = report([network('none', 0, [], { attack, testAccuracy: 0.8 })]);
  const [fixed] = robustCurve(whole.networks[0]!)!.fixed;
  expect(fixed).toEqual({ name: 'APGD', epsilon: 1.5, attacked: 0.4, byOthers: 0.4, more: 1 });
  expect(robustTable(whole)).toMatch(
    /At ε = 1\.50 APGD leaves 40\.0 %, the other attacks 40\.0 % \(none\): APGD breaks 1 sample that no other attack does/,
  );
  expect(JSON.parse(reportJson(whole)).networks[0].robustAccuracy.fixed).toEqual([fixed]);

  const alone = attackOf([within])!;
  expect(alone.samples.map(({ distance, upper }) => [distance, upper])).toEqual([
    [null, 0.9],
    [null, 1.4],
    [null, null],
    [null, null],
  ]);
});
