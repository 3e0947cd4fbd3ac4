import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Design, deviceDesign, hostDesign } from '../../../src/measure/readout/design.js';
import { type LogisticOptions, logistic, optionsOf } from '../../../src/measure/readout/logistic.js';
import { toFloat64 } from '../../../src/tensorflow/ops/float64.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';

beforeAll(() => loadTensorFlow());

const reference = JSON.parse(readFileSync(join(import.meta.dirname, 'scikit-learn.json'), 'utf8'));

const done = <T>(work: Generator<void, T>): T => {
  for (;;) {
    const slice = work.next();
    if (slice.done) return slice.value;
  }
};

function fitted(design: Design, labels: ArrayLike<number>, classes: number, options: LogisticOptions = {}) {
  const one = logistic(design, labels, classes, options);
  let at = done(one.start());
  while (at.ended === 'no') at = done(one.next(at));
  const found = { ...one.fitted(at), at, ...done(one.measure(at)) };
  one.dispose();
  return found;
}

const near = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)));

const designs: Record<string, () => Design> = {
  host: () => hostDesign(Float64Array.from(reference.features), reference.samples, reference.width),
  device: () => {
    const rows = [7, 30, 23];
    let first = 0;
    return deviceDesign(
      rows.map((n) => {
        const values = reference.features.slice(first * reference.width, (first + n) * reference.width);
        first += n;
        const block = tf.tensor2d(values, [n, reference.width]);
        const features = toFloat64(block);
        block.dispose();
        return features;
      }),
    );
  },
};

describe.each(Object.keys(designs))('on the %s', (where) => {
  test.skipIf(where === 'device' && process.env.WEIR_RUNTIME === 'wasm')(
    "badly scaled and rank-deficient features: scikit-learn's coefficients, and an objective no higher than its converged one",
    () => {
      const design = designs[where]!();
      const found = fitted(design, reference.labels, reference.classes);
      design.dispose();
      expect(found.at.ended).toBe('converged');
      expect(found.at.value).toBeLessThanOrEqual(reference.objective * (1 + (where === 'host' ? 1e-9 : 1e-6)));
      expect(near(found.coefficients, reference.coefficients)).toBeLessThan(1e-4);
      expect(near(found.intercepts, reference.intercepts)).toBeLessThan(1e-4);
      expect(found.loss).toBeCloseTo(
        reference.objective - found.coefficients.reduce((sum, w) => sum + w * w, 0) / 2,
        3,
      );
    },
  );
});

test('copies of a column share its coefficient, and a constant one is left to the intercepts', () => {
  const x = [-2, -1, -0.5, 0.2, 0.7, 1, 2, 3];
  const labels = [0, 0, 1, 0, 1, 1, 1, 1];
  const design = hostDesign(Float64Array.from(x.flatMap((value) => [value, value, 5])), 8, 3);
  const { coefficients, intercepts, at } = fitted(design, labels, 2, { tolerance: 1e-10 });
  expect(at.ended).toBe('converged');
  expect(coefficients[0]).toBeCloseTo(coefficients[1]!, 9);
  expect(coefficients[2]).toBeCloseTo(0, 9);
  expect(coefficients[3]).toBeCloseTo(-coefficients[0]!, 9); // a softmax of two, each with its own row
  expect(intercepts[0]! + intercepts[1]!).toBeCloseTo(0, 12);
});

test('without features that tell anything, the intercepts are the log odds', () => {
  const { coefficients, intercepts, correct } = fitted(
    hostDesign(new Float64Array(8), 8, 1),
    [0, 0, 0, 0, 0, 0, 1, 1],
    2,
    { tolerance: 1e-12 },
  );
  expect([...coefficients]).toEqual([0, 0]);
  expect(intercepts[0]! - intercepts[1]!).toBeCloseTo(Math.log(3), 10);
  expect(correct).toBe(6);
});

test.each([
  ['one class', [0, 0, 0], 1, 'a readout was asked for over 1 class'],
  ['a class without samples', [0, 2, 0], 3, 'not one of the 3 samples of a readout is of class 1'],
  ['a label out of range', [0, 3, 1], 3, 'sample 1 has the label 3, and the readout tells 3 classes apart'],
  ['a label that is no whole number', [0, 0.5, 1], 2, 'sample 1 has the label 0.5'],
  ['too few labels', [0, 1], 2, 'a readout was given 3 samples and 2 labels'],
])('%s is refused', (_, labels, classes, message) => {
  expect(() => logistic(hostDesign(new Float64Array(3), 3, 1), labels, classes)).toThrow(message);
});

test('a strength that is none is refused', () => {
  const design = hostDesign(new Float64Array(2), 2, 1);
  expect(() => logistic(design, [0, 1], 2, { inverseRegularization: 0 })).toThrow('C = 0');
});

test('as scikit-learn does it by default: 100 plain iterations, which end before it has converged', () => {
  const design = hostDesign(Float64Array.from(reference.features), reference.samples, reference.width);
  const found = fitted(design, reference.labels, reference.classes, optionsOf['scikit-learn']);
  expect(found.at).toMatchObject({ ended: 'iterations', iterations: 100 }); // n_iter_ of LogisticRegression() there: 100
  expect(found.at.value).toBeGreaterThan(reference.objective * (1 + 1e-7));
  expect(found.at.value / 50.05511531612337).toBeCloseTo(1, 5); // its objective
  expect(found.correct).toBe(41); // its score: 41 of 60
});
