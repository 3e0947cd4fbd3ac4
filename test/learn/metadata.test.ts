import { expect, test } from 'vitest';
import type { ClassNames } from '../../src/flow/header.js';
import { matchClasses } from '../../src/learn/metadata.js';

const train: ClassNames = { of: 'train', names: ['a', 'b', 'c'] };
const model = { name: 'net', classes: 3, architecture: { padding: 'zero' } };
const normalization = { mean: [0.5], std: [0.25] };
const start = { before: undefined, labeled: true };

test('a fresh network takes the classes of its samples, and knows what they were normalized with', () => {
  const { metadata, headers, labels } = matchClasses('train', model, [{ classes: train, normalization }], start);
  expect(metadata).toEqual({ architecture: { padding: 'zero' }, classes: train, normalization });
  expect(headers).toEqual([{ classes: train, normalization }]);
  const own = Uint8Array.of(2, 1);
  expect(labels(own)).toBe(own);
});

test('one that was trained before keeps its own: samples in another order are brought to them', () => {
  const classes = { of: 'more', names: ['c', 'a'] };
  for (const found of [
    matchClasses('train', model, [{ classes }], { before: { classes: train }, labeled: true }),
    matchClasses('train', { ...model, pretrainedClasses: () => train }, [{ classes }], start),
  ]) {
    expect(found.metadata.classes).toEqual(train);
    expect(found.headers).toEqual([{ classes: train }]);
    expect([...found.labels(Uint8Array.of(0, 1))]).toEqual([2, 0]);
  }
  expect(() =>
    matchClasses(
      'train',
      { ...model, pretrainedClasses: () => train },
      [{ classes: { of: 'more', names: ['a', 'z'] } }],
      start,
    ),
  ).toThrow(
    expect.objectContaining({
      message: "class 'z' of 'more' is none of the classes of 'train': a, b, c",
      remedy: expect.stringContaining("fresh: ['readout']"),
    }),
  );
});

test('more classes than outputs are refused; none known, or a loss without labels, are not', () => {
  expect(() => matchClasses('train', { ...model, classes: 2 }, [{ classes: train }], start)).toThrow(
    "'train' has 3 classes, but net has 2 outputs",
  );
  expect(matchClasses('train', model, [], start)).toMatchObject({
    metadata: { architecture: { padding: 'zero' } },
    headers: [],
  });
  const unlabeled = { before: undefined, labeled: false };
  const { metadata, headers } = matchClasses(
    'train',
    { ...model, classes: 2 },
    [{ classes: train, normalization }],
    unlabeled,
  );
  expect([metadata.classes, headers]).toEqual([undefined, [{ normalization }]]);
});
