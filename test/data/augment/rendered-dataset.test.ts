import { expect, test } from 'vitest';
import { randomCrop } from '../../../src/data/augment/ops/crop.js';
import { horizontalFlip } from '../../../src/data/augment/ops/horizontal-flip.js';
import { unitScale } from '../../../src/data/augment/ops/normalize.js';
import { rendered } from '../../../src/data/augment/rendered-dataset.js';
import { render } from '../../../src/data/augment/renderer.js';
import type { Dataset } from '../../../src/data/dataset.js';

const size = 1500; // more than are rendered at once
const images: Dataset = {
  ...{ name: 'made', size, sampleShape: [3, 3, 1], classes: ['a', 'b'] },
  values: Uint8Array.from({ length: 9 * size }, (_, i) => (i * 7) % 256),
  labels: Uint8Array.from({ length: size }, (_, i) => i % 2),
};
const moving = [randomCrop({ padding: 1 }), horizontalFlip()];

test('each sample once, as training would meet it in that epoch; bytes stay bytes where they only move', () => {
  const all = Uint32Array.from({ length: size }, (_, i) => i);
  const found = rendered(images, moving, { seed: 5, epoch: 2 });
  expect(found).toMatchObject({ name: 'made', size, sampleShape: [3, 3, 1] });
  expect(found.values).toBeInstanceOf(Uint8Array);
  expect(found.labels).toBe(images.labels);
  expect([...found.values]).toEqual([...render(images, all, moving, { seed: 5, epoch: 2 })]);

  const scaled = rendered(images, [...moving, unitScale()], { seed: 5 });
  expect(scaled.values).toBeInstanceOf(Float32Array);
  expect([...scaled.values]).toEqual([...render(images, all, [...moving, unitScale()], { seed: 5, epoch: 1 })]);
});
