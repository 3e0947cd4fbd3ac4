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
  expect(robustTable(whole)).toContain('<td>1</td><td>4</td><td>100.0<br>(51.0 to 100.0)</td>');
  const alone = report([network('none', 0, [], { attack, testAccuracy: 0.8 })]);
  expect(robustTable(alone)).toContain(
    '<td>1</td><td>4<br>proved 3</td><td>80.0<br>(40.8 to 80.0)<br>proved 80.0<br>(35.1 to 80.0)</td>',
  );
  const { outcome, panels, reading } = robustAccuracy(whole)!;
  expect(outcome).toContain('rep-spectral at most 50.0 % (15.0 to 85.0)');
  expect(outcome).toMatch(/none at most [\d.]+ %, proved/);
  expect(reading).toContain('Right, a lower bound: proved');
  expect(reading).toContain('Thin: one network each; thick: their mean. Where there is one network, shaded: Wilson');
  expect(panels).toHaveLength(2);
  expect(JSON.parse(reportJson(whole)).networks[2].robustAccuracy).toMatchObject({
    samples: 4,
    proved: 0,
    at: [{ epsilon: 0, attacked: 1, certified: null }, { epsilon: 1 }, { epsilon: 2 }, { epsilon: 3 }],
  });
  expect(robustAccuracy(report([network('none', 0, [], { attack: null })]))).toBeNull();
});

test('a network alone has the band of its interval, at both bounds; more than three have that of their range', () => {
  const bands = (count: number, samples = attack.samples) => {
    const networks = Array.from({ length: count }, (_, seed) =>
      network('none', seed, [], { attack: { ...attack, samples }, testAccuracy: 0.8 }),
    );
    const { panels, reading } = robustAccuracy(report(networks))!;
    return { bands: panels.map(({ svg }) => svg.match(/aria-label="area"/g)?.length ?? 0), reading };
  };
  expect(bands(1)).toMatchObject({ bands: [1, 1] });
  expect(bands(1).reading).toContain("Shaded: Wilson's 95 % interval over its 4 samples");
  expect(bands(2)).toMatchObject({ bands: [0, 0] });
  expect(bands(4)).toMatchObject({ bands: [1, 1] });
  expect(bands(4).reading).toContain('shaded: from the least to the greatest seed.');
  const unproved = samples.map((one) => ({ ...one, lower: null }));
  expect(bands(1, unproved)).toMatchObject({ bands: [1] });
  expect(bands(1, unproved).reading).toContain('there is no certified curve');
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
