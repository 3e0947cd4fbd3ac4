import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dataset } from '../../src/data/arrays.js';
import type { ImageDataset } from '../../src/data/dataset.js';
import { pathOf, sharedPaths } from '../../src/data/images/reader.js';
import { split } from '../../src/data/split.js';

/** Samples whose only value is their index. */
const numbered = (labels: number[], classes: number) =>
  dataset({ values: labels.map((_, i) => [i]), labels, classes, name: 'numbered' });

test('the parts are disjoint and whole, in order, and each class is in them in its proportion, to within one sample', () => {
  const labels = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 3, maxLength: 80 }).map((some) => [
    ...some,
    ...[0, 1, 2].flatMap((label) => Array<number>(12).fill(label)), // so that a class is never lost
  ]);
  const parts = { test: fc.double({ min: 0.05, max: 0.5, noNaN: true }), seed: fc.nat() };
  fc.assert(
    fc.property(labels, parts.test, parts.seed, fc.boolean(), (labels, test, seed, stratified) => {
      const whole = numbered(labels, 3);
      const found = split(whole, { test, validation: 0.1, seed, stratified });
      const all = [found.train, found.validation, found.test];
      expect(all.flatMap(({ values }) => [...values]).sort((a, b) => a - b)).toEqual([...whole.values]);
      for (const { values, labels: own, size } of all) {
        expect([...values]).toEqual([...values].sort((a, b) => a - b));
        expect([...own]).toEqual(Array.from(values, (index) => labels[index]));
        expect(own.length).toBe(size);
      }
      expect(found.test.size).toBe(Math.round(test * labels.length));
      if (!stratified) return;
      for (const label of [0, 1, 2]) {
        const share = labels.filter((one) => one === label).length / labels.length;
        const held = found.test.labels.filter((one) => one === label).length;
        expect(Math.abs(held - share * found.test.size)).toBeLessThanOrEqual(1);
      }
    }),
    { numRuns: 60 },
  );
});

test('a seed gives the same parts everywhere, another seed others', () => {
  const whole = numbered(
    Array.from({ length: 100 }, (_, i) => i % 3),
    3,
  );
  const digest = (seed: number, stratified: boolean) =>
    createHash('sha256')
      .update([...split(whole, { test: 0.3, seed, stratified }).test.values].join())
      .digest('hex')
      .slice(0, 16);
  expect([digest(0, true), digest(1, true), digest(0, false)]).toMatchInlineSnapshot(`
    [
      "aa0d0786d1f1b347",
      "4201dac9b6dfabc6",
      "f84f3228722a1165",
    ]
  `);
});

test('images are split by their files', () => {
  const paths = ['a/1.png', 'a/2.png', 'b/1.png', 'b/2.png'];
  const images: ImageDataset = {
    ...{ name: 'pets', size: 4, sampleShape: [0, 0, 3], classes: ['a', 'b'], labels: Uint8Array.of(0, 0, 1, 1) },
    images: {
      ...{ kind: 'files', root: '/pets', ...sharedPaths(paths) },
      ...{ bytes: Float64Array.of(10, 20, 30, 40), checksums: Uint32Array.of(1, 2, 3, 4) },
    },
  };
  const { train, test } = split(images, { test: 2, seed: 3 });
  const found = [train, test].flatMap(({ images, size }) =>
    Array.from({ length: size }, (_, i) =>
      images.kind === 'files' ? [pathOf(images, i), images.bytes[i], images.checksums[i]] : [],
    ),
  );
  expect(found.sort()).toEqual(paths.map((path, i) => [path, 10 * (i + 1), i + 1]));
  expect([[...train.labels], [...test.labels]]).toEqual([
    [0, 1],
    [0, 1],
  ]);
});

test.each([
  [{ test: 0 }, 'split was asked for test: 0 of the 4 samples'],
  [{ test: 0.01 }, 'split was asked for test: 0.01 of the 4 samples'],
  [{ test: 4 }, 'split was asked for test: 4 of the 4 samples'],
  [{ test: 2, validation: 2 }, 'none is left to train on: 2 are for testing, 2 for validation'],
  [{ test: 2, validation: 1 }, "of 'numbered' has 2 samples, and none is left to train on"],
])('parts that cannot be are refused: %o', (asked, message) => {
  expect(() => split(numbered([0, 0, 1, 1], 2), { ...asked, seed: 0 })).toThrow(message);
});
