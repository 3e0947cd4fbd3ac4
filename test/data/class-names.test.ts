import fc from 'fast-check';
import { from, lastValueFrom, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { batch, type Samples } from '../../src/data/batch.js';
import type { Dataset } from '../../src/data/dataset.js';
import { distinctNames, labelMapping, labelsAt, mappedLabels, sharedLabels } from '../../src/data/sample-check.js';
import { split } from '../../src/data/split.js';
import { type ClassNames, sameNames } from '../../src/flow/header.js';

const composed = '\u00e9t\u00e9';
const decomposed = 'e\u0301te\u0301';
const own: ClassNames = { of: 'train', names: ['ant', 'bee', composed] };
const among = (labels: number[], names: string[]) => [
  ...mappedLabels(Uint8Array.from(labels), { of: 'val', names }, own, 'rename it'),
];

test('labels become those of the class of that name: any order, a part of the classes, another spelling', () => {
  expect(among([0, 1, 2], ['ant', 'bee', decomposed])).toEqual([0, 1, 2]);
  expect(among([0, 1, 2, 2], [decomposed, 'ant', 'bee'])).toEqual([2, 0, 1, 1]);
  expect(among([0, 0], ['bee'])).toEqual([1, 1]);
  expect(among([1], ['zebra', 'bee'])).toEqual([1]); // no sample of it: no matter
});

test('in one order they stay what they are, not a copy', () => {
  const labels = Uint8Array.of(0, 1);
  expect(mappedLabels(labels, { of: 'val', names: ['ant', 'bee', decomposed] }, own, '')).toBe(labels);
  expect(labelMapping({ of: 'val', names: ['ant', 'bee', decomposed] }, own)).toBe(undefined);
});

test('a class that is not there is named, with its samples, what there is, and the remedy', () => {
  expect(() => among([1, 1, 0], ['ant', 'zebra'])).toThrow(
    expect.objectContaining({
      message: `class 'zebra' of 'val' (2 samples) is none of the classes of 'train': ant, bee, ${composed}`,
      remedy: 'rename it',
    }),
  );
  const many = { of: 'train', names: Array.from({ length: 30 }, (_, i) => `c${i}`) };
  expect(() => mappedLabels(Uint8Array.of(0), { of: 'val', names: ['x'] }, many, '')).toThrow(/c19 and 10 more$/);
});

test('two classes that are one once spelled the same are refused', () => {
  expect(() => among([0], [composed, decomposed])).toThrow(
    `two classes of 'val' are called '${composed}' once both are spelled the same way in Unicode (NFC)`,
  );
  expect(() => distinctNames({ of: 'val', names: ['a', 'a'] })).toThrow("two classes of 'val' are called 'a'");
  expect(distinctNames({ of: 'val', names: ['a', decomposed] })).toEqual(['a', composed]);
  expect(sameNames([decomposed], [composed])).toBe(true);
});

test('more than 256 classes take labels of two bytes', () => {
  const many = { of: 'train', names: Array.from({ length: 300 }, (_, i) => `c${i}`) };
  expect([...mappedLabels(Uint8Array.of(0, 1), { of: 'val', names: ['c299', 'c7'] }, many, '')]).toEqual([299, 7]);
});

test('whatever the order and the part, each sample keeps its name', () => {
  const names = fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 20, selector: (name) => name.normalize('NFC') });
  fc.assert(
    fc.property(names, fc.infiniteStream(fc.nat()), (all, random) => {
      const theirs = [...all]
        .sort(() => (random.next().value! % 2 ? 1 : -1))
        .slice(0, 1 + (random.next().value! % all.length));
      const labels = Uint8Array.from({ length: 30 }, () => random.next().value! % theirs.length);
      const found = mappedLabels(labels, { of: 'b', names: theirs }, { of: 'a', names: all }, '');
      expect([...found].map((label) => all[label])).toEqual([...labels].map((label) => theirs[label]));
    }),
  );
});

test('labels are as wide as the classes need', () => {
  expect(sharedLabels(256, 3)).toBeInstanceOf(Uint8Array);
  const labels = sharedLabels(257, 3);
  labels.set([256, 7, 0]);
  expect(labelsAt(labels, Uint32Array.of(2, 0))).toEqual(Uint16Array.of(0, 256));
});

test('label 999 comes through batches and splits', async () => {
  const samples = (position: number, label: number): Samples => ({
    ...{ position, epoch: 1, remaining: 2 - position, sampleShape: [1], indices: Uint32Array.of(position) },
    ...{ values: Float32Array.of(0), labels: Uint16Array.of(label) },
  });
  const [joined] = await lastValueFrom(from([samples(1, 999), samples(2, 3)]).pipe(batch(2), toArray()));
  expect(joined!.labels).toEqual(Uint16Array.of(999, 3));

  const dataset: Dataset = {
    ...{ name: 'many', size: 1000, sampleShape: [1], classes: Array.from({ length: 1000 }, (_, i) => String(i)) },
    ...{ values: new Float32Array(1000), labels: Uint16Array.from({ length: 1000 }, (_, i) => i) },
  };
  const { train, test } = split(dataset, { seed: 0, test: 100, stratified: false });
  expect([...train.labels, ...test.labels].sort((a, b) => a - b)).toEqual([...dataset.labels]);
});
