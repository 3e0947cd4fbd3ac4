import { expect, test } from 'vitest';
import { colorOf, lighting } from '../../../../src/data/augment/ops/noise.js';
import { render } from '../../../../src/data/augment/renderer.js';

test('one color is added to all pixels, with the covariance of the principal components', () => {
  const size = 6000;
  const data = { name: 'test', sampleShape: [1, 2, 3], values: new Float32Array(6 * size) };
  const out = render(
    data,
    Uint32Array.from({ length: size }, (_, i) => i),
    [lighting({ std: 0.1 })],
    { seed: 2, epoch: 1 },
  );
  const basis = [colorOf([0.1, 0, 0]), colorOf([0, 0.1, 0]), colorOf([0, 0, 0.1])];
  const wanted = (a: number, b: number) => basis.reduce((sum, color) => sum + color[a]! * color[b]!, 0);
  for (const [a, b] of [
    [0, 0],
    [1, 1],
    [2, 2],
    [0, 1],
    [0, 2],
    [1, 2],
  ] as const) {
    let sum = 0;
    for (let i = 0; i < size; i++) {
      expect(out[6 * i + 3 + a]).toBe(out[6 * i + a]);
      sum += out[6 * i + a]! * out[6 * i + b]!;
    }
    expect(sum / size / Math.sqrt(wanted(a, a) * wanted(b, b))).toBeCloseTo(
      wanted(a, b) / Math.sqrt(wanted(a, a) * wanted(b, b)),
      1,
    );
  }
  expect(colorOf([1, 1, 1])[0]).toBeCloseTo(-0.5675 * 0.2175 + 0.7192 * 0.0188 + 0.4009 * 0.0045, 12);
});
