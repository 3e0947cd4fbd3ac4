import { beforeAll, describe, expect, test } from 'vitest';
import type { Stage, Step } from '../../../src/flow/stage.js';
import type { Weights } from '../../../src/learn/model/model.js';
import type { Update } from '../../../src/learn/update.js';
import type { AttackOptions } from '../../../src/measure/attack/attack.js';
import { deepFool } from '../../../src/measure/attack/deepfool.js';
import type { AttackResult } from '../../../src/measure/attack/record.js';
import { tangentAttack } from '../../../src/measure/attack/tangent-attack.js';
import type { LabeledSamples } from '../../../src/measure/inputs.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { type Attacked, constant, network, samplesFor, updateOf } from './models.js';

beforeAll(() => loadTensorFlow());

type Made = Stage<Update, AttackResult, { readonly phase: string }>;

/** Every attack, and what keeps it short here: a new one is a row. */
const attacks: Record<string, (model: Attacked, samples: LabeledSamples, options: AttackOptions) => Made> = {
  'tangent attack': (model, samples, options) =>
    tangentAttack(model, samples, { iterations: 2, chunk: 64, ...options }) as unknown as Made,
  deepfool: (model, samples, options) => deepFool(model, samples, options) as unknown as Made,
};

const box = { min: -2, max: 2 };
const stepsOf = (stage: Made, from: { readonly phase: string }, weights: Weights) =>
  stage.next(from, updateOf(weights)) as Iterable<Step<{ readonly phase: string }, AttackResult>>;
const resultsOf = (stage: Made, weights: Weights) =>
  [...stepsOf(stage, stage.start(), weights)].flatMap(([, result]) => result ?? []);

/** A network whose classes are regions of some size, and samples that it gets right but for the second. */
function sharp(size: number) {
  const model = network('whole');
  const weights: Weights = new Map([...model.start(2)].map(([name, w]) => [name, tf.mul(w, 60)]));
  const samples = samplesFor(model, weights, size, -1, 1);
  return { model, weights, samples: { ...samples, labels: samples.labels.map((k, i) => (i === 1 ? (k + 1) % 3 : k)) } };
}

describe.each(Object.entries(attacks))('%s', (name, make) => {
  test('each sample once, its point verified, inside the box, of another class, and as far away as it says', () => {
    const { model, weights, samples } = sharp(10);
    const results = resultsOf(make(model, samples, { samples: 20, seed: 1, box, group: 4, choose: 'all' }), weights);
    expect(results.map(({ index }) => index).sort((a, b) => a - b)).toEqual([...Array(10).keys()]);
    for (const {
      index,
      label,
      predicted,
      outcome,
      original,
      adversarial,
      distance,
      adversarialLabel,
      total,
    } of results) {
      expect(total).toBe(10);
      if (index === 1) expect(outcome).toBe('already-misclassified');
      if (index === 1) continue;
      expect([outcome, predicted]).toEqual(['found', label]);
      expect(adversarial.every((value) => value >= box.min && value <= box.max)).toBe(true);
      expect(Math.hypot(...adversarial.map((value, i) => value - original[i]!))).toBeCloseTo(distance, 5);
      const seen = tf.tidy(() => tf.argMax(model.logits(weights, tf.tensor2d(adversarial, [1, 12])), 1).dataSync()[0]);
      expect([seen, seen === predicted]).toEqual([adversarialLabel, false]);
    }
  });

  test('restored at every yield, the rest is the same; no tensors are left over', () => {
    const { model, weights, samples } = sharp(4);
    const made = () => make(model, samples, { samples: 3, seed: 4, box, group: 2, choose: 'all' });
    const before = tf.memory().numTensors;
    const whole = [...stepsOf(made(), { phase: 'rest' }, weights)];
    expect(whole.at(-1)).toEqual([{ phase: 'rest' }]);
    for (let at = 0; at < whole.length - 1; at++) {
      const rest = [...stepsOf(made(), structuredClone(whole[at]![0]), weights)];
      expect(rest, `from step ${at}`).toEqual(whole.slice(at + 1));
    }
    for (const _ of stepsOf(made(), { phase: 'rest' }, weights)) break;
    expect(tf.memory().numTensors).toBe(before);
  });

  test.each([[1], [30], [300]])('a budget of %i is never passed', (budget) => {
    const { model, weights, samples } = sharp(4);
    const results = resultsOf(make(model, samples, { samples: 4, seed: 0, box, budget, choose: 'all' }), weights);
    expect(results).toHaveLength(4);
    for (const { queries } of results) expect(queries).toBeLessThanOrEqual(budget);
  });

  test('a classifier without another class never flips, and one without numbers says so', () => {
    const zeros: LabeledSamples = {
      name: 'zeros',
      size: 1,
      sampleShape: [6],
      values: new Float32Array(6),
      labels: new Uint8Array(1),
    };
    const options = { samples: 1, seed: 0, choose: 'all' } as const;
    const outcome = (logits: number[]) => {
      const model = constant(6, logits);
      return resultsOf(make({ ...model, jacobian: flat }, zeros, options), model.start(0))[0]!.outcome;
    };
    expect(outcome([1, 0])).toBe('never-flipped');
    expect(outcome([0, Number.NaN])).toBe('not-a-number');
  });

  test('is named in its errors', () => {
    const { model, samples } = sharp(2);
    expect(() => make(model, samples, { samples: 0, seed: 0, box })).toThrow(`stage '${name}': samples is 0`);
    expect(() => make(model, samples, { samples: 1, seed: 0, box: { min: 1, max: 0 } })).toThrow(
      `stage '${name}': the box`,
    );
  });
});

/** The Jacobian of a feature map that is the same everywhere. */
const flat: NonNullable<Attacked['jacobian']> = {
  forward: (_w, _x, p) => tf.zerosLike(p),
  backward: (_w, _x, q) => tf.zeros([q.shape[0], 6]),
};
