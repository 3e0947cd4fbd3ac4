import { beforeAll, describe, expect, test } from 'vitest';
import type { Box } from '../../../src/data/dataset.js';
import { limitsOf, usualBox } from '../../../src/measure/attack/box.js';
import type { AttackResult } from '../../../src/measure/attack/record.js';
import { tangentAttack } from '../../../src/measure/attack/tangent-attack.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { linear, samplesFor, updateOf, watched } from './models.js';

beforeAll(async () => {
  await loadTensorFlow();
});

const cifar = { mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.201] };

test('a pixel’s range through the normalization, by channel', () => {
  expect(usualBox(undefined)).toEqual({ min: 0, max: 1 });
  const { min, max } = usualBox(cifar) as { readonly min: number[]; readonly max: number[] };
  for (const [c, [least, most]] of [
    [-2.429, 2.514],
    [-2.418, 2.597],
    [-2.221, 2.754],
  ].entries()) {
    expect(min[c]).toBeCloseTo(least!, 3);
    expect(max[c]).toBeCloseTo(most!, 3);
  }
});

test('inputs are clipped channel by channel; the width is the mean over channels', () => {
  const limits = limitsOf('attack', { min: [-1, 0], max: [1, 4] }, 4);
  expect(limits.width).toBe(3);
  const clipped = limits.clip(
    tf.tensor2d([
      [-5, -5, 5, 5],
      [0.5, 2, 0.5, 2],
    ]),
  ); // prettier-ignore
  expect(clipped.arraySync()).toEqual([
    [-1, 0, 1, 4],
    [0.5, 2, 0.5, 2],
  ]); // prettier-ignore
});

test.each([
  [{ min: 1, max: 0 }, 'the box is [1, 0]'],
  [{ min: 0, max: Number.NaN }, 'the box is [0, NaN]'],
  [{ min: 0 } as Box, 'max of the box is missing, not a number'],
  [{ min: 0, max: [1, '1'] as number[] }, 'max of the box is "1", not a number'],
  [{ min: [0, 0, 0], max: 1 }, 'the box has 3 values of min, and inputs have 4 values'],
  [{ min: Number.NEGATIVE_INFINITY, max: 1 }, 'the box is [-Infinity, 1]'],
])('a box that holds nothing is refused: %o', (box, message) => {
  expect(() => limitsOf('attack', box, 4)).toThrow(message);
});

describe.each(['whole', 'dense'] as const)('an attack, first layer %s', (seen) => {
  const d = 12;
  const attack = (
    samples: ReturnType<typeof samplesFor>,
    more: object,
    see: (values: Float32Array) => void = () => {},
  ) => {
    const model = watched(linear(d, 2, seen), see);
    const stage = tangentAttack(model, samples, { samples: 8, seed: 1, iterations: 4, choose: 'all', ...more });
    return [
      ...(stage.next(stage.start(), updateOf(model.start(0))) as Iterable<readonly [unknown, AttackResult?]>),
    ].flatMap(([, result]) => result ?? []);
  };
  const plain = linear(d, 2, seen);
  const made = (low: number, high: number) => samplesFor(plain, plain.start(0), 8, low, high);

  test('refuses samples outside of its box, and names the range that they have', () => {
    expect(() => attack(made(-2, 2), {})).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(
          /sample 0 of 'samples' lies outside of the box \[0, 1\]; the values of all samples go from -1\.\d+ to 1\.\d+/,
        ),
        remedy: expect.stringContaining('{ min: -2, max: 2 }'),
      }),
    );
    expect(attack(made(-2, 2), { box: { min: -2, max: 2 } })).toHaveLength(8);
  });

  test('says of standardized samples that they are, and so are its distances', () => {
    const samples = { ...made(0, 1), normalization: { mean: new Array(d).fill(0.5), std: new Array(d).fill(2) } };
    const said = (given: ReturnType<typeof samplesFor>) => attack(given, {}).map(({ standardized }) => standardized);
    expect(new Set(said(samples))).toEqual(new Set([true]));
    expect(new Set(said(made(0, 1)))).toEqual(new Set([undefined]));
  });

  test('of normalized pixels evaluates none that no pixel becomes, says its box, and how many it takes', () => {
    const box = usualBox(cifar);
    const { lower, upper } = limitsOf('attack', box, d);
    let outside = 0;
    const results = attack(made(0, 1), { normalize: cifar }, (values) => {
      values.forEach((value, i) => {
        if (value < lower[i % d]! - 1e-5 || value > upper[i % d]! + 1e-5) outside++;
      });
    });
    expect(seen === 'dense' ? 0 : outside).toBe(0); // a dense first layer is evaluated in parts
    for (const { adversarial, ...result } of results) {
      expect(result).toMatchObject({ total: 8, box });
      expect(adversarial.every((value, i) => value >= lower[i]! && value <= upper[i]!)).toBe(true);
    }
    expect(results).toHaveLength(8);
    expect(results.filter(({ outcome }) => outcome === 'found').length).toBeGreaterThan(0);
    for (const { outcome, original, adversarial, distance, pixelDistance, choose } of results) {
      expect(choose).toBe('all');
      if (outcome !== 'found') {
        expect(pixelDistance).toBeNaN();
        continue;
      }
      const pixels = (x: Float32Array, i: number) => x[i]! * cifar.std[i % 3]! + cifar.mean[i % 3]!;
      const moved = Array.from(original, (_, i) => pixels(adversarial, i) - pixels(original, i));
      expect(pixelDistance).toBeCloseTo(Math.hypot(...moved), 6);
      expect(pixelDistance).toBeLessThan(0.21 * distance);
    }
    expect(attack(made(0, 1), { choose: 'correct' })[0]).not.toHaveProperty('pixelDistance');
    const authors = attack(made(0, 1), { normalize: cifar, protocol: 'authors' });
    expect(authors[0]!.box).toEqual({ min: -3, max: 3 });
  });
});
