import { expect, test } from 'vitest';
import { groups } from '../../../src/measure/networks/groups.js';
import { network, report } from '../../report/example.js';

test('networks that differ in their seed alone are one group, named by what tells it from the others', () => {
  const one = [network('rep-spectral', 1, [2]), network('none', 0, [1]), network('rep-spectral', 0, [2])];
  const grouped = (networks: typeof one) =>
    groups(report(networks)).map(({ label, networks }) => [label, networks.map(({ seed }) => seed)]);
  expect(grouped(one)).toEqual([
    ['none', [0]],
    ['rep-spectral', [0, 1]],
  ]);
  const noisy = network('none', 0, [1], { setting: 'noisy' });
  expect(grouped([...one, noisy]).map(([label]) => label)).toEqual(['none', 'rep-spectral', 'noisy: none']);
  const other = network('none', 0, [1], { pipeline: 'xor' });
  expect(grouped([...one, other]).map(([label]) => label)).toEqual(['mnist: none', 'mnist: rep-spectral', 'xor: none']);
});
