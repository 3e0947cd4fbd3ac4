import { expect, test } from 'vitest';
import { compileRecipe } from '../../../src/data/augment/compiler.js';
import { colorJitter, randomGrayscale } from '../../../src/data/augment/ops/color.js';
import { centerCrop, randomResizedCrop } from '../../../src/data/augment/ops/crop.js';
import { gaussianBlur } from '../../../src/data/augment/ops/gaussian-blur.js';
import { horizontalFlip } from '../../../src/data/augment/ops/horizontal-flip.js';
import { lighting } from '../../../src/data/augment/ops/noise.js';
import { unitScale } from '../../../src/data/augment/ops/normalize.js';
import { resize } from '../../../src/data/augment/ops/resize.js';
import { solarize } from '../../../src/data/augment/ops/solarize.js';
import {
  barlowRecipes,
  fineTuneRecipe,
  fineTuneTestRecipe,
  imagenetRecipe,
  imagenetTestRecipe,
  type Op,
  type Recipe,
  simclrRecipes,
} from '../../../src/data/augment/recipes.js';
import { render } from '../../../src/data/augment/renderer.js';
import type { Image } from '../../../src/data/images/image.js';

const open = [undefined, undefined, 3] as const;
const key = { seed: 1, epoch: 2, index: 3, view: 0 };
const noise = (height: number, width: number, channels = 3): Image => ({
  height,
  width,
  channels,
  values: Uint8Array.from({ length: height * width * channels }, (_, i) => (i * i * 7 + i * 31) % 256),
});

test('one rendering takes images of all sizes in turn, each as if it were the only one', () => {
  const recipe = [...imagenetTestRecipe({ size: 14 }), lighting()];
  const images = [noise(40, 31), noise(9, 50), noise(200, 160), noise(16, 16), noise(40, 31)];
  const one = compileRecipe(recipe, open);
  expect(one.outShape).toEqual([14, 14, 3]);
  const joint = images.map((image) => {
    const out = new Float32Array(one.length);
    one.apply(image, key, out);
    return out;
  });
  images.forEach((image, i) => {
    const before = image.values.slice();
    const alone = new Float32Array(one.length);
    compileRecipe(recipe, [image.height, image.width, 3]).apply(image, key, alone);
    expect(joint[i]).toEqual(alone);
    expect(image.values).toEqual(before); // what was handed in is not changed
  });
  expect(joint[0]).toEqual(joint[4]);
});

test('ops in place leave the data set as it was, behind a resize to the same size too', () => {
  const image = noise(8, 8);
  for (const first of [[], [resize({ size: 8 })]]) {
    const recipe = [...first, horizontalFlip({ probability: 1 }), solarize(), unitScale()];
    const rendering = compileRecipe(recipe, [8, 8, 3]);
    const out = new Float32Array(rendering.length);
    rendering.apply(image, key, out);
    expect(image.values).toEqual(noise(8, 8).values);
    const x = image.values[7 * 3]!;
    expect(out[0]).toBe(Math.fround((x >= 128 ? 255 - x : x) / 255));
  }
});

test('a resize keeps proportions, and its shape is known where the image is', () => {
  expect(compileRecipe([resize({ size: 20 })], [30, 60, 1]).outShape).toEqual([20, 40, 1]);
  expect(compileRecipe([resize({ size: 20 })], [61, 30, 1]).outShape).toEqual([40, 20, 1]);
  expect(compileRecipe([resize({ size: [5, 7] })], open).outShape).toEqual([5, 7, 3]);
  const flat = { ...noise(50, 37), values: new Uint8Array(50 * 37 * 3).fill(93) };
  const rendering = compileRecipe([resize({ size: [23, 64] })], open);
  const out = new Float32Array(rendering.length);
  rendering.apply(flat, key, out);
  expect(new Set(out)).toEqual(new Set([93])); // weights sum to one
});

test.each([
  ['barlow', barlowRecipes(), [32, 32, 3]],
  ['simclr', simclrRecipes(), [32, 32, 3]],
  ['imagenet', [imagenetRecipe({ size: 32 }), imagenetTestRecipe({ size: 32 })], [32, 32, 3]],
  ['fine-tune', [fineTuneRecipe('folder', { size: 48 }), fineTuneTestRecipe('cifar10', { size: 48 })], [48, 48, 3]],
])('the recipes of %s are data that renders images of any size', (_, recipes, shape) => {
  for (const recipe of recipes as readonly Recipe[]) {
    const rendering = compileRecipe(JSON.parse(JSON.stringify(recipe)), open);
    expect(rendering.outShape).toEqual(shape);
    const out = new Float32Array(rendering.length);
    rendering.apply(noise(61, 83), key, out);
    expect(out.every(Number.isFinite)).toBe(true);
    expect(new Set(out).size).toBeGreaterThan(10); // some come out gray, of a small part of the image
  }
});

test('the two Barlow views differ in blur and solarization, as in the paper', () => {
  const chances = barlowRecipes().map((recipe) =>
    recipe
      .filter(({ op }) => op === 'gaussianBlur' || op === 'solarize')
      .map((op) => 'probability' in op && op.probability),
  );
  expect(chances).toEqual([
    [1, 0],
    [0.1, 0.2],
  ]);
  expect(simclrRecipes()[0].find(({ op }) => op === 'gaussianBlur')).toMatchObject({ kernel: 3, probability: 1 });
});

test.each<[Op | object, string]>([
  [randomResizedCrop({ size: 0 }), "op 'randomResizedCrop' has size 0"],
  [randomResizedCrop({ size: 8, scale: [0, 1] }), "op 'randomResizedCrop' has scale [0,1]"],
  [randomResizedCrop({ size: 8, scale: [0.5, 1.5] }), "op 'randomResizedCrop' has scale [0.5,1.5]"],
  [randomResizedCrop({ size: 8, ratio: [2, 1] }), "op 'randomResizedCrop' has ratio [2,1]"],
  [resize({ size: [8, 1.5] }), "op 'resize' has size [8,1.5]"],
  [centerCrop({ size: -3 }), "op 'centerCrop' has size -3"],
  [colorJitter({ hue: 0.6 }), "op 'colorJitter' has hue [-0.6,0.6]"],
  [colorJitter({ contrast: -1 }), "op 'colorJitter' has contrast -1"],
  [colorJitter({ saturation: [2, 1] }), "op 'colorJitter' has saturation [2,1]"],
  [colorJitter({ probability: 1.1 }), "op 'colorJitter' has probability 1.1"],
  [randomGrayscale({ probability: -0.1 }), "op 'randomGrayscale' has probability -0.1"],
  [gaussianBlur({ sigma: 0 }), "op 'gaussianBlur' has sigma [0,0]"],
  [gaussianBlur({ kernel: 4 }), "op 'gaussianBlur' has kernel 4 for images of 8 × 8"],
  [gaussianBlur({ kernel: 17 }), "op 'gaussianBlur' has kernel 17 for images of 8 × 8"],
  [solarize({ threshold: 300 }), "op 'solarize' has threshold 300"],
  [lighting({ std: Number.NaN }), "op 'lighting' has std NaN"],
])('%j is refused by name', (op, message) => {
  expect(() => compileRecipe([op as Op], [8, 8, 3])).toThrow(message);
});

test('what cannot be done with such samples is refused with the remedy', () => {
  const refusal = (recipe: Recipe, shape: readonly (number | undefined)[], bytes = true) => {
    try {
      compileRecipe(recipe, shape, bytes);
    } catch (error) {
      const { message, remedy } = error as { message: string; remedy?: string };
      return `${message}: ${remedy}`;
    }
    return undefined;
  };
  const sizes = 'put randomResizedCrop before it, or resize and centerCrop, so that all have one size';
  expect(refusal([horizontalFlip()], open)).toBe(`images of different sizes reach op 'horizontalFlip': ${sizes}`);
  expect(refusal([resize({ size: 9 }), unitScale()], open)).toBe(
    `images of different sizes reach op 'unitScale': ${sizes}`,
  );
  expect(refusal([resize({ size: 9 })], open)).toBe(`images of different sizes reach the recipe's end: ${sizes}`);
  expect(refusal([unitScale(), solarize()], [8, 8, 3])).toBe(
    "op 'solarize' works on bytes, but it gets floats: put it before op 'unitScale'",
  );
  expect(refusal([resize({ size: 9 })], [8, 8, 3], false)).toContain('or give a data set of bytes');
  expect(refusal([randomGrayscale()], [8, 8, 4])).toContain('needs images of 3 channels (red, green, blue) or 1');
  expect(refusal([lighting()], [8, 8, 1])).toContain('needs images of 3 channels');
  expect(refusal([centerCrop({ size: 4 })], [64])).toContain('needs images of [height, width, channels]');
});

test('an op that fails on a sample is named with it', () => {
  const short = { name: 'test', sampleShape: [4, 4, 3], values: new Uint8Array(48) };
  const recipe: Recipe = [horizontalFlip(), gaussianBlur({ kernel: 3 })];
  expect(() => render(short, Uint32Array.of(0), recipe, { seed: 0.5, epoch: 1 })).toThrow(
    "op 'horizontalFlip' failed on sample 0 of 'test' in epoch 1: a seed of 0.5 was given",
  );
});
