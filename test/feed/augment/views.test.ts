import { lastValueFrom, throwError, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { horizontalFlip } from '../../../src/feed/augment/op/horizontal-flip.js';
import { randomCrop } from '../../../src/feed/augment/op/random-crop.js';
import { unitScale } from '../../../src/feed/augment/op/unit-scale.js';
import { render } from '../../../src/feed/augment/render.js';
import { views } from '../../../src/feed/augment/views.js';
import { batch } from '../../../src/feed/batch.js';
import type { Dataset } from '../../../src/feed/dataset.js';
import { draw } from '../../../src/feed/draw.js';

const images: Dataset = {
  ...{ name: 'made', size: 10, sampleShape: [4, 4, 1], classes: ['a', 'b'] },
  values: Uint8Array.from({ length: 160 }, (_, i) => (i * 7) % 256),
  labels: Uint8Array.from({ length: 10 }, (_, i) => i % 2),
};
const recipe = [randomCrop({ padding: 2 }), horizontalFlip()];
const recipes = [recipe, [...recipe, unitScale()]];

const drawn = (threads: number, of = recipes) =>
  lastValueFrom(
    draw(images, { epochs: 2, seed: 3, block: 3 }).pipe(views(of, { seed: 3, threads }), batch(10), toArray()),
  );

test('each sample in every view, as its recipe renders it; any number of threads gives the same bits', async () => {
  const epochs = await drawn(1);
  expect(epochs).toHaveLength(2);
  for (const { epoch, indices, sampleShape, values, labels } of epochs) {
    expect(sampleShape).toEqual([2, 4, 4, 1]);
    expect([...labels]).toEqual([...indices].map((index) => index % 2));
    const rendered = recipes.map((recipe, view) => render(images, indices, recipe, { seed: 3, epoch, view }));
    for (let i = 0; i < 10; i++) {
      for (const v of [0, 1]) {
        const at = (2 * i + v) * 16;
        expect([...values.subarray(at, at + 16)]).toEqual([...rendered[v]!.subarray(16 * i, 16 * i + 16)]);
      }
    }
  }
  expect(await drawn(2)).toEqual(epochs);
}, 30_000);

test('views of one recipe differ', async () => {
  const { values } = (await drawn(2, [recipe, recipe]))[0]!;
  const [first, second] = [0, 1].map((v) =>
    Array.from({ length: 10 }, (_, i) => [...values.subarray((2 * i + v) * 16, (2 * i + v + 1) * 16)]),
  );
  expect(first).not.toEqual(second);
}, 30_000);

test('an error passes through; no recipe is none', async () => {
  const failing$ = throwError(() => new Error('upstream')).pipe(views(recipes, { seed: 0 }));
  await expect(lastValueFrom(failing$)).rejects.toThrow('upstream');
  expect(() => views([], { seed: 0 })).toThrow("'views' was given no recipe");
});
