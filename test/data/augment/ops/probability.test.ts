import { expect, test } from 'vitest';
import { colorJitter, randomGrayscale } from '../../../../src/data/augment/ops/color.js';
import { gaussianBlur } from '../../../../src/data/augment/ops/gaussian-blur.js';
import { horizontalFlip } from '../../../../src/data/augment/ops/horizontal-flip.js';
import { solarize } from '../../../../src/data/augment/ops/solarize.js';
import type { Op } from '../../../../src/data/augment/recipes.js';
import { render } from '../../../../src/data/augment/renderer.js';

const size = 1000;
const image = Uint8Array.from({ length: 27 }, (_, i) => (i * 89 + 40) % 256);
const values = new Uint8Array(27 * size);
for (let i = 0; i < size; i++) values.set(image, 27 * i);
const data = { name: 'test', sampleShape: [3, 3, 3], values };

/** How many of the samples an op changes. */
function changed(op: Op): number {
  const out = render(
    data,
    Uint32Array.from({ length: size }, (_, i) => i),
    [op],
    { seed: 4, epoch: 2 },
  );
  let count = 0;
  for (let i = 0; i < size; i++) if (image.some((value, k) => out[27 * i + k] !== value)) count++;
  return count;
}

test.each([
  ['horizontalFlip', (probability: number) => horizontalFlip({ probability })],
  ['colorJitter', (probability: number) => colorJitter({ brightness: [0.5, 0.5], probability })],
  ['randomGrayscale', (probability: number) => randomGrayscale({ probability })],
  ['gaussianBlur', (probability: number) => gaussianBlur({ sigma: 1, kernel: 3, probability })],
  ['solarize', (probability: number) => solarize({ probability })],
])('%s changes none, all, or the part of the samples that was asked for', (_, op) => {
  expect(changed(op(0))).toBe(0);
  expect(changed(op(1))).toBe(size);
  expect(Math.abs(changed(op(0.3)) - 300)).toBeLessThan(48); // 3.3 standard deviations
});
