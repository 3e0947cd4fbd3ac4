import { expect, test } from 'vitest';
import { keyed } from '../../../src/core/seed.js';
import { colourJitter } from '../../../src/feed/augment/op/colour-jitter.js';
import { gaussianBlur } from '../../../src/feed/augment/op/gaussian-blur.js';
import { randomGreyscale } from '../../../src/feed/augment/op/random-greyscale.js';
import { drawBox, randomResizedCrop } from '../../../src/feed/augment/op/random-resized-crop.js';
import { randomSolarise } from '../../../src/feed/augment/op/random-solarise.js';
import { type Op, prepare, type Recipe } from '../../../src/feed/augment/recipe.js';
import { barlowTwinsRecipes } from '../../../src/feed/augment/recipes/barlow-twins.js';
import { simclrRecipes } from '../../../src/feed/augment/recipes/simclr.js';
import { render } from '../../../src/feed/augment/render.js';
import type { Dataset } from '../../../src/feed/dataset.js';

const shape = [12, 10, 3];
const size = 40;
const data: Dataset = {
  ...{ name: 'made up', size, sampleShape: shape, classes: ['a'], labels: new Uint8Array(size) },
  values: Uint8Array.from({ length: size * 360 }, (_, i) => (i * 7919) % 256),
};
const all = Uint32Array.from({ length: size }, (_, i) => i);
const original = Float32Array.from(data.values);
const made = (recipe: Recipe, epoch = 1) => render(data, all, recipe, { seed: 3, epoch });
/** How many of the samples the recipe changed. */
const changed = (recipe: Recipe): number => {
  const out = made(recipe);
  return all.filter((i) => out.subarray(i * 360, i * 360 + 360).some((value, j) => value !== original[i * 360 + j]))
    .length;
};

const byChance: Readonly<Record<string, (probability: number) => Op>> = {
  colourJitter: (probability) =>
    colourJitter({ brightness: 0.4, contrast: 0.4, saturation: 0.2, hue: 0.1, probability }),
  randomGreyscale: (probability) => randomGreyscale({ probability }),
  gaussianBlur: (probability) => gaussianBlur({ kernel: 5, sigma: [0.5, 1], probability }),
  randomSolarise: (probability) => randomSolarise({ probability }),
};

test.each(Object.entries(byChance))('%s: never, always, and about half of the time', (_, op) => {
  expect(changed([op(0)])).toBe(0);
  expect(changed([op(1)])).toBe(size);
  expect(changed([op(0.5)])).toBeGreaterThan(8); // 20 are expected; beyond four standard deviations
  expect(changed([op(0.5)])).toBeLessThan(32);
});

test('a crop has the area and ratio asked for, lies inside, and falls back to the middle where nothing fits', () => {
  const random = keyed(0, 'test/crops');
  const areas: number[] = [];
  for (let i = 0; i < 2000; i++) {
    const { top, left, height, width } = drawBox(32, 32, [0.08, 1], [3 / 4, 4 / 3], random);
    expect(Math.min(top, left, 32 - top - height, 32 - left - width)).toBeGreaterThanOrEqual(0);
    areas.push((height * width) / 1024);
    expect(width / height).toBeGreaterThan(0.6); // rounded to pixels
    expect(width / height).toBeLessThan(1.7);
  }
  const mean = areas.reduce((sum, area) => sum + area, 0) / areas.length;
  expect(mean).toBeGreaterThan(0.46); // uniform from 0.08 to 1, less what is too large for its ratio
  expect(mean).toBeLessThan(0.55);
  expect(drawBox(10, 100, [1, 1], [1, 1], random)).toEqual({ top: 0, left: 45, height: 10, width: 10 });
});

test('a whole crop at its own ratio is the image', () => {
  const square = { ...data, sampleShape: [10, 12, 3] };
  const op = randomResizedCrop({ scale: [1, 1], ratio: [1.2, 1.2] });
  expect(render(square, all, [op], { seed: 0, epoch: 1 })).toEqual(original);
});

test('a view is a function of seed, epoch, sample and view: alone or among others', () => {
  for (const recipe of [...barlowTwinsRecipes({ mean: [0.5], std: [0.2] }), simclrRecipes()[0]]) {
    const small = recipe.map((op) => (op.op === 'gaussianBlur' ? { ...op, kernel: 3 } : op));
    const together = made(small, 4);
    const alone = render(data, Uint32Array.of(17), small, { seed: 3, epoch: 4 });
    expect(alone).toEqual(together.slice(17 * 360, 18 * 360));
    expect(made(small, 5)).not.toEqual(together);
    expect(together.every(Number.isFinite)).toBe(true);
  }
});

test.each([
  [randomResizedCrop({ scale: [0.5, 0.2] }), "op 'randomResizedCrop' has scale [0.5, 0.2]"],
  [randomResizedCrop({ scale: [0.5, 1.5] }), "op 'randomResizedCrop' has scale [0.5, 1.5]"],
  [randomResizedCrop({ ratio: [0, 1] }), "op 'randomResizedCrop' has ratio [0, 1]"],
  [colourJitter({ brightness: -1, contrast: 0, saturation: 0, hue: 0 }), "op 'colourJitter' has brightness -1"],
  [colourJitter({ brightness: 0, contrast: 0, saturation: 0, hue: 0.6 }), "op 'colourJitter' has hue 0.6"],
  [gaussianBlur({ kernel: 4, sigma: [1, 1] }), "op 'gaussianBlur' has a kernel of 4 taps for images of 12 × 10"],
  [gaussianBlur({ kernel: 3, sigma: [0, 1] }), "op 'gaussianBlur' has sigma [0, 1]"],
  [randomGreyscale({ probability: 2 }), "op 'randomGreyscale' has probability 2"],
  [randomSolarise({ threshold: 300 }), "op 'randomSolarise' has threshold 300"],
] as const)('%o is refused by name', (op, message) => {
  expect(() => prepare(op, shape)).toThrow(message);
});

test('colours need three channels', () => {
  expect(() => prepare(randomGreyscale(), [4, 4, 1])).toThrow(
    "op 'randomGreyscale' needs images of red, green and blue, but the samples are [4, 4, 1]",
  );
});
