import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { randomCrop } from '../../../src/data/augment/ops/crop.js';
import { normalize, unitScale } from '../../../src/data/augment/ops/normalize.js';
import { resize } from '../../../src/data/augment/ops/resize.js';
import { imagenetStatistics } from '../../../src/data/augment/recipes.js';
import { renderImages, renderViews } from '../../../src/data/augment/renderer.js';
import { imageFolder } from '../../../src/data/datasets/image-folder/image-folder.js';
import { newFolder, noisyJpeg, pixels, write } from '../images/samples.js';

const { real } = vi.hoisted(() => ({ real: { unfilled: (_: number) => new Float32Array(0) } }));

vi.mock('../../../src/data/dataset.js', async (original) => {
  const dataset = await original<typeof import('../../../src/data/dataset.js')>();
  real.unfilled = dataset.unfilled;
  return { ...dataset, unfilled: (length: number) => new Float32Array(length).fill(Number.NaN) };
});

test('memory of its own, of the length asked for', () => {
  for (const length of [0, 1, 1000, 2 ** 20]) {
    const values = real.unfilled(length);
    expect(values).toHaveLength(length);
    expect(values.buffer.byteLength).toBe(4 * length); // no part of a pool: it changes hands whole
    expect(structuredClone(values, { transfer: [values.buffer] })).toHaveLength(length);
    expect(values).toHaveLength(0);
  }
});

test('rendering leaves nothing unwritten: bytes, floats and images in files, one view and two', async () => {
  const key = { seed: 3, epoch: 1 };
  const indices = Uint32Array.of(2, 0);
  const recipe = [randomCrop({ padding: 2 }), unitScale()];
  const bytes = { name: 'bytes', sampleShape: [6, 5, 3], values: pixels(18, 5) };
  const floats = { name: 'floats', sampleShape: [6, 5, 3], values: Float32Array.from(pixels(18, 5)) };
  for (const data of [bytes, floats]) {
    for (const recipes of [[recipe], [recipe, recipe], [[]]]) {
      const out = renderViews(data, indices, recipes, key);
      expect(out).toHaveLength(2 * recipes.length * 90);
      expect(out.some(Number.isNaN)).toBe(false);
    }
  }

  const root = newFolder();
  vi.stubEnv('WEIR_CACHE', join(root, '.cache'));
  write(root, {
    'one/0.jpg': await noisyJpeg(9, 7),
    'one/1.jpg': await noisyJpeg(8, 8),
    'one/2.jpg': await noisyJpeg(5, 9),
  });
  const folder = await imageFolder({ folder: root, say: () => undefined });
  const views = [[resize({ size: [6, 6] })], [resize({ size: [6, 6] }), unitScale(), normalize(imagenetStatistics)]];
  const out = await renderImages(folder, indices, views, key);
  expect(out).toHaveLength(2 * 2 * 108);
  expect(out.some(Number.isNaN)).toBe(false);
});
