import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { blurrer } from '../../../../src/feed/augment/pixels/blur.js';
import {
  brighten,
  contrast,
  grey,
  invertAbove,
  saturate,
  turnHue,
} from '../../../../src/feed/augment/pixels/colour.js';
import { resampler } from '../../../../src/feed/augment/pixels/resample.js';

interface Vectors {
  readonly shape: [number, number, number];
  readonly image: number[];
  readonly cases: readonly { readonly name: string; readonly args: number[]; readonly values: number[] }[];
}

const { shape, image, cases } = JSON.parse(
  readFileSync(new URL('torchvision.json', import.meta.url), 'utf8'),
) as Vectors;

const does: Readonly<Record<string, (image: Float32Array, ...args: number[]) => void>> = {
  ...{ brighten, contrast, saturate, turnHue, grey, invertAbove },
  resizedCrop: (image, top, left, height, width) =>
    resampler(shape)(image, { top: top!, left: left!, height: height!, width: width! }, image),
  chain(image) {
    does.resizedCrop!(image, 1, 1, 7, 5);
    turnHue(image, -0.08);
    contrast(image, 1.3);
    brighten(image, 0.7);
    saturate(image, 1.15);
    does.blur!(image, 5, 1.1);
  },
  blur: (image, kernel, sigma) => blurrer(shape, kernel!)(image, sigma!),
};

test.each(cases)('$name $args is what torchvision makes of it', ({ name, args, values }) => {
  const made = Float32Array.from(image);
  does[name]!(made, ...args);
  const worst = Math.max(...made.map((value, i) => Math.abs(value - values[i]!)));
  expect(worst).toBeLessThan(name === 'blur' ? 0.3 : 0.02); // grey levels; of a wide kernel the furthest taps are left out
});

test('a photograph of one colour stays as it is under every blur and crop', () => {
  const made = new Float32Array(9 * 7 * 3).fill(200);
  resampler(shape)(made, { top: 1, left: 2, height: 6, width: 3 }, made);
  blurrer(shape, 5)(made, 1.3);
  expect([...new Set(made.map(Math.round))]).toEqual([200]);
});
