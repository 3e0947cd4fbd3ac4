import { beforeAll, expect, test } from 'vitest';
import type { Weights } from '../../../src/learn/model/model.js';
import { type ApgdOptions, apgd } from '../../../src/measure/attack/apgd.js';
import type { AttackResult } from '../../../src/measure/attack/record.js';
import { loadTensorFlow } from '../../../src/tensorflow/tf.js';
import { linear, samplesFor, updateOf } from './models.js';

beforeAll(() => loadTensorFlow());

const box = { min: -3, max: 3 };
const d = 24;

function attacked(classes: number, options: Omit<ApgdOptions, 'samples' | 'seed' | 'box'>) {
  const model = linear(d, classes, 'whole');
  const weights: Weights = model.start(0);
  const samples = samplesFor(model, weights, 12, -1, 1);
  const stage = apgd(model, samples, { samples: 12, seed: 0, box, ...options });
  const steps = stage.next({ phase: 'rest' }, updateOf(weights)) as Iterable<readonly [unknown, AttackResult?]>;
  const kernel = weights.get('readout/kernel')!.dataSync<'float32'>();
  const bias = weights.get('readout/bias')!.dataSync<'float32'>();
  /** The least of |w·x + b|/‖w‖ over the boundaries of its class. */
  const exact = ({ original, label }: AttackResult): number =>
    Math.min(
      ...Array.from({ length: classes }, (_, k) => k)
        .filter((k) => k !== label)
        .map((k) => {
          let [margin, square] = [bias[label]! - bias[k]!, 0];
          for (let i = 0; i < d; i++) {
            const w = kernel[classes * i + label]! - kernel[classes * i + k]!;
            margin += w * original[i]!;
            square += w ** 2;
          }
          return margin / Math.sqrt(square);
        }),
    );
  return [...steps].flatMap(([, result]) => (result ? [{ ...result, exact: exact(result) }] : []));
}

test.each([
  [2, 'cross-entropy'],
  [4, 'dlr'],
] as const)(
  'a linear classifier of %i classes by %s: found exactly where the boundary lies within ε',
  (classes, loss) => {
    const epsilon = 0.4;
    const results = attacked(classes, { epsilon, loss, steps: 50, restarts: 2 });
    expect(results).toHaveLength(12);
    const clear = results.filter(({ exact }) => Math.abs(exact / epsilon - 1) > 0.02);
    expect(new Set(clear.map(({ exact }) => exact < epsilon)).size).toBe(2);
    for (const { exact, outcome, distance, kind } of clear) {
      expect(outcome).toBe(exact < epsilon ? 'found' : 'never-flipped');
      expect(kind).toBe('white-box');
      if (outcome !== 'found') continue;
      expect(distance).toBeLessThanOrEqual(epsilon);
      expect(distance).toBeGreaterThan(exact * (1 - 1e-4));
    }
  },
);

test('a loss that there is none of, and an ε that is none, are refused', () => {
  expect(() => attacked(2, { epsilon: 1, loss: 'dlr' })).toThrow('stage \'apgd\' was given loss = "dlr"');
  expect(() => attacked(2, { epsilon: 0 })).toThrow("stage 'apgd' was given epsilon = 0");
});
