import { from, lastValueFrom, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { views } from '../../../src/data/augment/augment.js';
import { centerCrop } from '../../../src/data/augment/ops/crop.js';
import { unitScale } from '../../../src/data/augment/ops/normalize.js';
import { barlowRecipes, simclrRecipes } from '../../../src/data/augment/recipes.js';
import { render } from '../../../src/data/augment/renderer.js';
import { batch, type Samples } from '../../../src/data/batch.js';
import { type Dataset, sharedBytes } from '../../../src/data/dataset.js';
import { loader } from '../../../src/data/loader.js';

const size = 50;
const dataset: Dataset = {
  name: 'test',
  size,
  sampleShape: [12, 12, 3],
  classes: ['a', 'b'],
  values: sharedBytes(size * 432).map((_, i) => (i * i * 31 + i) % 256),
  labels: sharedBytes(size).map((_, i) => i % 2),
};
const recipes = barlowRecipes({ size: 16 });
const length = 16 * 16 * 3;
const run = (threads: number): Promise<Samples[]> =>
  lastValueFrom(
    loader(dataset, { epochs: 2, seed: 3, block: 8 }).pipe(
      views(recipes, { seed: 7, threads, limit: 200 }),
      batch(20),
      toArray(),
    ),
  );

test('every view is a function of (seed, epoch, index, view), whatever the threads, and is reached at once', async () => {
  const [one, two] = [await run(1), await run(2)];
  expect(two).toEqual(one);
  expect(one.map(({ labels }) => labels.length)).toEqual([20, 20, 10, 20, 20, 10]);
  const { indices, epoch, sampleShape, values, labels } = one[4]!;
  expect(epoch).toBe(2);
  expect(sampleShape).toEqual([2, 16, 16, 3]);
  expect(values.length).toBe(20 * 2 * length);
  expect([...labels]).toEqual(Array.from(indices, (index) => index % 2));
  for (const position of [0, 7, 19]) {
    for (const view of [0, 1]) {
      const at = (2 * position + view) * length;
      const alone = render(dataset, indices.subarray(position, position + 1), recipes[view]!, { seed: 7, epoch, view });
      expect(values.subarray(at, at + length)).toEqual(alone);
    }
  }
});

test('two views of one recipe differ', () => {
  const [recipe, same] = simclrRecipes({ size: 12 });
  expect(same).toEqual(recipe);
  const view = (k: number) => render(dataset, Uint32Array.of(0), recipe, { seed: 0, epoch: 1, view: k });
  expect(view(0)).not.toEqual(view(1));
});

test('views of different shapes, and none at all, are refused', async () => {
  const blocks = loader(dataset, { epochs: 1, seed: 0 });
  const uneven = views([[centerCrop({ size: 4 })], [centerCrop({ size: 5 }), unitScale()]], { seed: 0, threads: 1 });
  await expect(lastValueFrom(from(blocks).pipe(uneven))).rejects.toThrow(
    'view 0 has the shape [4, 4, 3], but view 1 [5, 5, 3]',
  );
  expect(() => views([], { seed: 0 })).toThrow("'views' was given no recipe");
});
