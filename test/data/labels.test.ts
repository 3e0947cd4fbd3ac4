import { from, lastValueFrom, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { batch, type Samples } from '../../src/data/batch.js';
import type { Dataset } from '../../src/data/feed-dataset.js';
import { labelsAt, sharedLabels } from '../../src/data/labels.js';
import { split } from '../../src/data/split.js';

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
  const { train, test } = split(dataset, { seed: 0, testSize: 100 });
  expect([...train.labels, ...test.labels].sort((a, b) => a - b)).toEqual([...dataset.labels]);
});
