import { join } from 'node:path';
import { lastValueFrom, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { dataset } from '../../../src/data/arrays.js';
import { augment } from '../../../src/data/augment/augment.js';
import { randomCrop } from '../../../src/data/augment/ops/crop.js';
import { unitScale } from '../../../src/data/augment/ops/normalize.js';
import { defineOp } from '../../../src/data/augment/own-op.js';
import type { Recipe } from '../../../src/data/augment/recipes.js';
import { render } from '../../../src/data/augment/renderer.js';
import { loader } from '../../../src/data/loader.js';
import { moduleFiles } from '../../../src/storage/module-files.js';
import { broken } from './fixtures/broken-op.js';
import { picky, recipeOfHidden, speckle } from './fixtures/own-ops.js';

const images = dataset({
  ...{ name: 'gray', values: Uint8Array.from({ length: 20 * 16 }, (_, i) => i % 251), sampleShape: [4, 4, 1] },
  labels: new Uint8Array(20),
  classes: 1,
});

const rendered = async (recipe: Recipe, threads: number): Promise<number[]> => {
  const blocks$ = loader(images, { epochs: 2, seed: 3, block: 4, shuffle: false });
  const found = await lastValueFrom(blocks$.pipe(augment(recipe, { seed: 3, threads }), toArray()));
  return found.flatMap(({ values }) => [...values]);
};

test('an op of one’s own gives the same bits in any number of threads as in the main thread, among Weir’s own', async () => {
  const recipe = [randomCrop({ padding: 1 }), unitScale(), speckle({ std: 0.5 })];
  const indices = Uint32Array.from({ length: 20 }, (_, i) => i);
  const wanted = [1, 2].flatMap((epoch) => [...render(images, indices, recipe, { seed: 3, epoch })]);
  expect(new Set(wanted).size).toBeGreaterThan(600); // each value has noise of its own
  expect(await rendered(recipe, 1)).toEqual(wanted);
  expect(await rendered(recipe, 2)).toEqual(wanted);
});

test('one that throws in a thread is named with the sample', async () => {
  await expect(rendered([picky({ at: 128 }), unitScale()], 2)).rejects.toThrow(
    "op 'picky' failed on sample 8 of 'gray' in epoch 1: too bright",
  );
});

test('one that a thread cannot find is named with its module', async () => {
  await expect(rendered(recipeOfHidden, 1)).rejects.toThrow(/own-ops\.ts does not export its op 'hidden'/);
  await expect(rendered([broken()], 1)).rejects.toThrow(/broken-op\.ts of op 'broken' cannot be imported .* screen/);
});

const module = import.meta.url;
const nothing = () => () => undefined;
test.each([
  [{ name: 'randomCrop' }, "op 'randomCrop' of file:"],
  [{ name: 'speckle' }, 'has the name of an op of file:'],
  [{ name: 'two words' }, 'an op was called "two words"'],
  [{ kind: 'heavy' as 'free' }, 'op \'mine\' is of kind "heavy"'],
  [{ module: '/a/path.ts' }, 'op \'mine\' was given the module "/a/path.ts"'],
  [{ defaults: { size: (() => 1) as never } }, "the defaults of op 'mine' hold something else"],
])('a definition that cannot be is refused: %o', (fault, message) => {
  expect(() => defineOp({ name: 'mine', module, kind: 'free', prepare: nothing, ...fault })).toThrow(message);
});

test('its options are its defaults, and what a recipe gives in their place', () => {
  expect(speckle({ std: 2 })).toEqual({ op: 'speckle', std: 2 });
  expect(() => speckle({ sdt: 2 } as object)).toThrow("speckle has no option 'sdt'");
});

test('its source is part of the identity of a run', async () => {
  const files = await moduleFiles(join(import.meta.dirname, '../../../pipelines/examples/own-op.ts'));
  expect(Object.keys(files)).toEqual(['own-op.ts', 'ops/random-erasing.ts']);
});
