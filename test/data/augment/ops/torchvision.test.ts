import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compileRecipe } from '../../../../src/data/augment/compiler.js';
import {
  adjustBrightness,
  adjustContrast,
  adjustHue,
  adjustSaturation,
  toGray,
} from '../../../../src/data/augment/ops/color.js';
import { centerCrop } from '../../../../src/data/augment/ops/crop.js';
import { Blur } from '../../../../src/data/augment/ops/gaussian-blur.js';
import { Resampler, resize } from '../../../../src/data/augment/ops/resize.js';
import { solarizePixels } from '../../../../src/data/augment/ops/solarize.js';
import { barlowRecipes, type Recipe } from '../../../../src/data/augment/recipes.js';
import { render } from '../../../../src/data/augment/renderer.js';

interface Stored {
  readonly shape: readonly [height: number, width: number, channels: 1 | 3];
  readonly values: string;
}
interface Case extends Stored {
  readonly op: string;
  readonly args: readonly never[];
  readonly image: string;
}

const read = (name: string) => JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url), 'utf8'));
const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));
const { images, cases } = read('ops.json') as { images: Record<string, Stored>; cases: Case[] };

/** How far apart two images are, in gray levels. */
function apart(actual: ArrayLike<number>, wanted: ArrayLike<number>): { most: number; mean: number } {
  expect(actual.length).toBe(wanted.length);
  const off = Array.from(wanted, (value, i) => Math.abs(value - actual[i]!));
  return { most: Math.max(...off), mean: off.reduce((sum, x) => sum + x, 0) / off.length };
}

function by(recipe: Recipe, { shape, values }: Stored): Float32Array {
  const { length, apply } = compiled(recipe, shape);
  const out = new Float32Array(length);
  const [height, width, channels] = shape;
  apply({ height, width, channels, values: bytes(values) }, { seed: 0, epoch: 1, index: 0, view: 0 }, out);
  return out;
}
function compiled(recipe: Recipe, shape: readonly number[]) {
  const rendering = compileRecipe(recipe, shape);
  return { length: rendering.length, apply: rendering.apply.bind(rendering) };
}

const inPlace: Record<string, (values: Uint8Array, shape: Stored['shape'], ...args: number[]) => void> = {
  brightness: (values, _, factor) => adjustBrightness(values, values.length, factor!),
  contrast: (values, [, , channels], factor) => adjustContrast(values, values.length, channels, factor!),
  saturation: (values, _, factor) => adjustSaturation(values, values.length, factor!),
  hue: (values, _, turn) => adjustHue(values, values.length, turn!),
  grayscale: (values) => toGray(values, values.length),
  solarize: (values, _, threshold) => solarizePixels(values, values.length, threshold!),
  blur: (values, shape, kernel, sigma) => new Blur(...shape, kernel!).apply(values, sigma!),
};

const resized: Record<string, (image: Stored, ...args: never[]) => ArrayLike<number>> = {
  part: (image, top: number, left: number, height: number, width: number, to: [number, number]) => {
    const [h, w, channels] = image.shape;
    const whole = { height: h, width: w, channels, values: bytes(image.values) };
    const out = new Resampler(channels).resample(whole, { top, left, height, width }, ...to);
    return out.values.subarray(0, to[0] * to[1] * channels);
  },
  resize: (image, size: number[]) =>
    by([resize({ size: size.length === 1 ? size[0]! : (size as [number, number]) })], image),
  centerCrop: (image, size: [number, number]) => by([centerCrop({ size })], image),
};

test.each(cases)('$op $args of the $image image is what torchvision makes of it', ({ op, args, image, values }) => {
  const source = images[image]!;
  const change = inPlace[op];
  const changed = bytes(source.values);
  change?.(changed, source.shape, ...args);
  const got = change ? changed : resized[op]!(source, ...args);
  const { most, mean } = apart(got, bytes(values));
  expect(most).toBeLessThanOrEqual(1); // gray levels
  expect(mean).toBeLessThan(0.02);
});

test('both Barlow views, op after op from the generator on, are what torchvision makes with the same draws', () => {
  const { images, views } = read('chain.json') as { images: string[]; views: string[][] };
  const values = bytes(images[0]!).length;
  const all = new Uint8Array(images.length * values);
  images.forEach((image, i) => {
    all.set(bytes(image), i * values);
  });
  const data = { name: 'chain', sampleShape: [32, 32, 3], values: all };
  barlowRecipes().forEach((recipe, view) => {
    const onBytes = recipe.slice(0, -2);
    const wanted = views[view]!.flatMap((text) => [...bytes(text)]);
    const got = render(data, Uint32Array.from(images.keys()), onBytes, { seed: 3, epoch: 5, view });
    const { most, mean } = apart(got, wanted);
    expect(mean).toBeLessThan(0.02); // gray levels
    expect(most).toBeLessThanOrEqual(3);
  });
});
