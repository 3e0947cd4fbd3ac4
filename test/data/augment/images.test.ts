import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastValueFrom, toArray } from 'rxjs';
import { expect, test, vi } from 'vitest';
import { augment, views } from '../../../src/data/augment/augment.js';
import { randomResizedCrop } from '../../../src/data/augment/ops/crop.js';
import { horizontalFlip } from '../../../src/data/augment/ops/horizontal-flip.js';
import { unitScale } from '../../../src/data/augment/ops/normalize.js';
import { resize } from '../../../src/data/augment/ops/resize.js';
import { decoded } from '../../../src/data/augment/rendered-dataset.js';
import { batch } from '../../../src/data/batch.js';
import { imageFolder } from '../../../src/data/datasets/image-folder/image-folder.js';
import { loader } from '../../../src/data/loader.js';
import { packed, packImages } from '../../../src/data/pack.js';
import { newFolder, noisyJpeg, write } from '../images/samples.js';

const root = newFolder();
vi.stubEnv('WEIR_CACHE', join(root, '.cache'));
const sizes = Array.from({ length: 10 }, (_, i) => [20 + 3 * i, 50 - 2 * i] as const);
for (const [i, [height, width]] of sizes.entries()) {
  write(root, { [`images/${i % 2 ? 'odd' : 'even'}/${i}.jpg`]: await noisyJpeg(height, width, i) });
}
const open = () => imageFolder({ folder: join(root, 'images'), say: () => undefined });
const recipe = [randomResizedCrop({ size: 16 }), horizontalFlip(), unitScale()];
const train = await open();

test('drawn, decoded and rendered on any number of threads: the same bits, and the folder’s labels', async () => {
  const run = (threads: number) =>
    lastValueFrom(
      loader(train, { epochs: 2, seed: 1, block: 3 }).pipe(augment(recipe, { seed: 1, threads }), batch(5), toArray()),
    );
  const batches = await run(1);
  expect(batches.map(({ sampleShape, labels }) => [sampleShape, labels.length])).toEqual(
    Array.from({ length: 4 }, () => [[16, 16, 3], 5]),
  );
  for (const { indices, labels } of batches) {
    expect([...labels]).toEqual([...indices].map((index) => train.labels[index]));
  }
  expect(new Set(batches[0]!.values).size).toBeGreaterThan(50);
  expect(batches[0]!.values.every((value) => value >= 0 && value <= 1)).toBe(true);
  expect(await run(3)).toEqual(batches);
});

test('two views of each image', async () => {
  const [samples] = await lastValueFrom(
    loader(train, { epochs: 1, seed: 1 }).pipe(views([recipe, recipe], { seed: 1, threads: 1 }), batch(10), toArray()),
  );
  expect(samples!.sampleShape).toEqual([2, 16, 16, 3]);
  expect(samples!.values).toHaveLength(10 * 2 * 768);
  expect(samples!.values.slice(0, 768)).not.toEqual(samples!.values.slice(768, 1536));
});

test('a pack of pixels gives what the folder gives', async () => {
  const file = join(root, 'train.weirpack');
  await packImages(train, file, { raw: true });
  const one = async (dataset: Parameters<typeof loader>[0]) =>
    (
      await lastValueFrom(
        loader(dataset, { epochs: 1, seed: 2, block: 2 }).pipe(
          augment(recipe, { seed: 2, threads: 2 }),
          batch(10),
          toArray(),
        ),
      )
    )[0]!.values;
  expect(await one(packed(file))).toEqual(await one(train));
});

test('a recipe that brings no two images to one size is refused', async () => {
  const run = (ops: Parameters<typeof augment>[0]) =>
    lastValueFrom(loader(train, { epochs: 1, seed: 1 }).pipe(augment(ops, { seed: 1, threads: 1 }), toArray()));
  await expect(run([unitScale()])).rejects.toThrow("images of different sizes reach op 'unitScale'");
  await expect(run([])).rejects.toThrow("images of different sizes reach the recipe's end");
  await expect(run([resize({ size: 8 }), unitScale()])).rejects.toThrow('images of different sizes reach');
  await expect(decoded(train, [horizontalFlip()])).rejects.toThrow(
    "images of different sizes reach op 'horizontalFlip'",
  );
});

test('a file that changes or vanishes while training ends it by name', async () => {
  const dataset = await open();
  const run = () =>
    lastValueFrom(loader(dataset, { epochs: 1, seed: 1 }).pipe(augment(recipe, { seed: 1, threads: 1 }), toArray()));
  writeFileSync(join(root, 'images/odd/3.jpg'), await noisyJpeg(29, 44, 99));
  await expect(run()).rejects.toThrow(`'odd/3.jpg' of '${join(root, 'images')}' has changed since the folder was read`);
  rmSync(join(root, 'images/odd/3.jpg'));
  await expect(run()).rejects.toMatchObject({
    message: `'odd/3.jpg' has vanished from '${join(root, 'images')}' since the folder was read`,
    remedy: 'put it back and resume; a folder that is trained on must not change',
  });
});
