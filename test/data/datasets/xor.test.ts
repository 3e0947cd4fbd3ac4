import { expect, test } from 'vitest';
import { xor, xorOfEach } from '../../../src/data/datasets/xor.js';

test('the four corners', () => {
  expect(xor()).toMatchObject({
    size: 4,
    sampleShape: [2],
    values: new Float32Array([1, 1, -1, -1, 1, -1, -1, 1]),
    labels: new Uint8Array([0, 0, 1, 1]),
  });
});

test('twenty noisy points about each corner, by seed', () => {
  const { size, values, labels } = xor({ noise: {}, seed: 3 });
  expect(size).toBe(80);
  expect([...labels]).toEqual(Array.from({ length: 80 }, (_, i) => (i < 40 ? 0 : 1)));
  expect(xor({ noise: {}, seed: 3 }).values).toEqual(values);
  expect(xor({ noise: {}, seed: 4 }).values).not.toEqual(values);

  const clean = xor().values;
  const offsets = Array.from(values, (x, i) => x - clean[2 * Math.floor(i / 40) + (i % 2)]!);
  const mean = offsets.reduce((sum, x) => sum + x, 0) / 160;
  const std = Math.sqrt(offsets.reduce((sum, x) => sum + x * x, 0) / 160);
  expect(Math.abs(mean)).toBeLessThan(0.05);
  expect(Math.abs(std - 0.2)).toBeLessThan(0.04);
});

test('of each: sample i holds every network’s own i-th point', () => {
  const all = xorOfEach([3, 4], { perCorner: 2 });
  expect([all.size, all.sampleShape, [...all.labels]]).toEqual([8, [2, 2], [0, 0, 0, 0, 1, 1, 1, 1]]);
  for (const [network, seed] of [3, 4].entries()) {
    const own = Array.from({ length: 8 }, (_, i) =>
      [0, 1].map((axis) => all.values[4 * i + 2 * network + axis]),
    ).flat();
    expect(own).toEqual([...xor({ noise: { perCorner: 2 }, seed }).values]);
  }
});
