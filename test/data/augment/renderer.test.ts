import { expect, test } from 'vitest';
import { randomCrop } from '../../../src/data/augment/ops/crop.js';
import { horizontalFlip } from '../../../src/data/augment/ops/horizontal-flip.js';
import { gaussianNoise } from '../../../src/data/augment/ops/noise.js';
import { normalize, unitScale } from '../../../src/data/augment/ops/normalize.js';
import type { Op, Recipe } from '../../../src/data/augment/recipes.js';
import { lightSamples } from '../../../src/data/augment/rendered-dataset.js';
import { type RenderKey, render } from '../../../src/data/augment/renderer.js';
import type { Dataset } from '../../../src/data/dataset.js';

const dataset = (values: Dataset['values'], sampleShape: readonly number[], size = 1): Dataset => ({
  name: 'test',
  size,
  sampleShape,
  classes: ['a'],
  values,
  labels: new Uint8Array(size),
});
const key: RenderKey = { seed: 1, epoch: 1 };
const one = (values: number[], shape: number[], recipe: Recipe, k = key) => [
  ...render(dataset(new Uint8Array(values), shape), Uint32Array.of(0), recipe, k),
];
const f = Math.fround;

test('unitScale and normalize, on bytes and on floats alike', () => {
  const recipe = [unitScale(), normalize({ mean: [0.5, 0.25], std: [0.5, 2] })];
  const wanted = [0, 51, 102, 255].map((x, i) => f(f(f(x / 255) - (i % 2 ? 0.25 : 0.5)) / (i % 2 ? 2 : 0.5)));
  expect(one([0, 51, 102, 255], [1, 2, 2], recipe)).toEqual(wanted);
  const floats = dataset(new Float32Array([0, 51, 102, 255]), [1, 2, 2]);
  expect([...render(floats, Uint32Array.of(0), recipe, key)]).toEqual(wanted);
});

test('a flip mirrors pixels, channels in place', () => {
  expect(one([1, 2, 3, 4, 5, 6], [1, 3, 2], [horizontalFlip({ probability: 1 })])).toEqual([5, 6, 3, 4, 1, 2]);
  expect(one([1, 2, 3, 4], [2, 2, 1], [horizontalFlip({ probability: 1 })])).toEqual([2, 1, 4, 3]);
  expect(one([1, 2, 3, 4], [2, 2, 1], [horizontalFlip({ probability: 0 })])).toEqual([1, 2, 3, 4]);
});

test('what is kept of a recipe serves its own shape and kind of values, block after block', () => {
  const recipe = [horizontalFlip({ probability: 1 }), unitScale()];
  const scaled = (values: number[]) => values.map((x) => f(x / 255));
  for (let block = 0; block < 2; block++) {
    expect(one([1, 2, 3, 4, 5, 6], [1, 2, 3], recipe)).toEqual(scaled([4, 5, 6, 1, 2, 3]));
    expect(one([1, 2, 3, 4, 5, 6], [1, 6, 1], recipe)).toEqual(scaled([6, 5, 4, 3, 2, 1]));
    expect(one([1, 2, 3, 4, 5, 6], [1, 6, 1], recipe.slice(0, 1))).toEqual([6, 5, 4, 3, 2, 1]);
    const floats = dataset(new Float32Array([1, 2, 3, 4, 5, 6]), [1, 2, 3]);
    expect([...render(floats, Uint32Array.of(0), recipe, key)]).toEqual(scaled([4, 5, 6, 1, 2, 3]));
  }
});

test('a crop moves the image by at most the padding, zeros following, each way equally often', () => {
  const image = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  const moved = (dy: number, dx: number) =>
    image.map((_, i) => {
      const [y, x] = [Math.floor(i / 3) + dy, (i % 3) + dx];
      return y < 0 || y > 2 || x < 0 || x > 2 ? 0 : image[3 * y + x]!;
    });
  const counts = new Map<string, number>([-1, 0, 1].flatMap((dy) => [-1, 0, 1].map((dx) => [moved(dy, dx).join(), 0])));
  for (let epoch = 1; epoch <= 900; epoch++) {
    const got = one(image, [3, 3, 1], [randomCrop({ padding: 1 })], { seed: 0, epoch }).join();
    counts.set(got, counts.get(got)! + 1);
  }
  expect(counts.size).toBe(9);
  const chi2 = [...counts.values()].reduce((sum, count) => sum + (count - 100) ** 2 / 100, 0);
  expect(chi2).toBeLessThan(26.1); // 8 degrees of freedom, p = 0.001
});

test('light ops after moving ones give what they give op by op', () => {
  const bytes = Array.from({ length: 75 }, (_, i) => (i * 53) % 256);
  const moves = [randomCrop({ padding: 2 }), horizontalFlip()];
  const lights = [unitScale(), normalize({ mean: [0.4, 0.5, 0.6], std: [0.2, 0.3, 0.4] })];
  const after = dataset(new Float32Array(one(bytes, [5, 5, 3], moves)), [5, 5, 3]);
  expect(one(bytes, [5, 5, 3], [...moves, ...lights])).toEqual([...render(after, Uint32Array.of(0), lights, key)]);
});

test('noise differs by seed, epoch, sample, view and place in the recipe, and depends on nothing else', () => {
  const noise = gaussianNoise({ std: 1 });
  const zeros = dataset(new Float32Array(6), [2], 3);
  const at = (index: number, k: Partial<RenderKey> = {}, recipe: Recipe = [noise]) =>
    render(zeros, Uint32Array.of(index), recipe, { ...key, ...k }).join();
  const all = [
    at(0),
    at(1),
    at(2),
    at(0, { seed: 2 }),
    at(0, { epoch: 2 }),
    at(0, { view: 1 }),
    at(0, {}, [noise, noise]),
  ];
  expect(new Set(all).size).toBe(all.length);
  expect(at(0, { view: 0 })).toBe(at(0));
  expect([...render(zeros, Uint32Array.of(2, 0), [noise], key)].join()).toBe(`${at(2)},${at(0)}`);
  expect(at(0, {}, [unitScale(), noise])).toBe(at(0)); // a light op before it moves nothing
});

test('a data set that is kept rendered gives what rendering gives', () => {
  const data = dataset(
    Uint8Array.from({ length: 40 }, (_, i) => 6 * i),
    [2, 2, 1],
    10,
  );
  const indices = Uint32Array.of(7, 0, 7, 3);
  for (const recipe of [[], [unitScale()], [unitScale()]]) {
    expect(lightSamples(data, indices, recipe)).toEqual(render(data, indices, recipe, key));
  }
});

test.each([
  [{ op: 'blur' }, [4], "no op is called 'blur'"],
  [
    randomCrop({ padding: 1 }),
    [4],
    "op 'randomCrop' needs images of [height, width, channels], but the samples are [4]",
  ],
  [randomCrop({ padding: 0.5 }), [2, 2, 1], "op 'randomCrop' has padding 0.5"],
  [horizontalFlip({ probability: 2 }), [2, 2, 1], "op 'horizontalFlip' has probability 2"],
  [
    normalize({ mean: [1, 2], std: [1] }),
    [2, 2, 1],
    "op 'normalize' has 2 numbers in mean, but the samples have 1 channels",
  ],
  [normalize({ mean: [0], std: [0] }), [2, 2, 1], "op 'normalize' has std 0"],
  [gaussianNoise({ std: -1 }), [4], "op 'gaussianNoise' has std -1"],
])('%j on samples of %j is refused', (op, shape, message) => {
  expect(() => one([1, 2, 3, 4], shape, [op as Op])).toThrow(message);
});
