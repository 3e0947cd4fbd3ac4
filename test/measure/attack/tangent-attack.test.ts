import { beforeAll, describe, expect, test } from 'vitest';
import type { Weights } from '../../../src/learn/model/model.js';
import type { AttackState } from '../../../src/measure/attack/attack.js';
import type { WalkState } from '../../../src/measure/attack/boundary-walk.js';
import { ddn } from '../../../src/measure/attack/ddn.js';
import type { AttackResult } from '../../../src/measure/attack/record.js';
import { type TangentAttackOptions, tangentAttack } from '../../../src/measure/attack/tangent-attack.js';
import type { LabeledSamples } from '../../../src/measure/inputs.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { type Attacked, constant, linear, network, samplesFor, updateOf, watched } from './models.js';

type Steps = Iterable<readonly [AttackState<WalkState>, AttackResult?]>;

beforeAll(async () => {
  await loadTensorFlow();
});

function attack(
  model: Attacked,
  weights: Weights,
  samples: LabeledSamples,
  options: TangentAttackOptions,
): AttackResult[] {
  const stage = tangentAttack(model, samples, options);
  return [...(stage.next(stage.start(), updateOf(weights)) as Steps)].flatMap(([, result]) => result ?? []);
}

/** A network whose classes are regions of some size. */
const sharp = (model: Attacked): Weights => new Map([...model.start(2)].map(([name, w]) => [name, tf.mul(w, 60)]));
const box = { min: -2, max: 2 };

describe.each(['whole', 'dense'] as const)('first layer %s', (seen) => {
  test('a linear classifier: from |w·x + b|/‖w‖ to 2 % above it, inside the box', () => {
    const d = 24;
    const plain = linear(d, 2, seen);
    const weights = plain.start(0);
    const samples = samplesFor(plain, weights, 20, -1, 1);
    let least = 0;
    let most = 0;
    const model = watched(plain, (values) => {
      for (const value of values) [least, most] = [Math.min(least, value), Math.max(most, value)];
    });
    const results = attack(model, weights, samples, { samples: 20, seed: 1, iterations: 30, box, group: 8 });
    const w = weights.get('readout/kernel')!.dataSync();
    const b = weights.get('readout/bias')!.dataSync();

    expect(results.map(({ index }) => index).sort((i, j) => i - j)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    for (const { outcome, distance, original, adversarial, predicted, adversarialLabel, label } of results) {
      let margin = b[1]! - b[0]!;
      let norm = 0;
      for (let i = 0; i < d; i++) {
        const difference = w[2 * i + 1]! - w[2 * i]!;
        margin += difference * original[i]!;
        norm += difference ** 2;
      }
      const exact = Math.abs(margin) / Math.sqrt(norm);
      expect(outcome).toBe('found');
      expect(distance).toBeGreaterThan(exact - 1e-5);
      expect(distance).toBeLessThan(1.02 * exact + 1e-4);
      expect(predicted).toBe(label);
      expect(adversarialLabel).toBe(1 - label);
      expect(adversarial.every((value) => value >= box.min && value <= box.max)).toBe(true);
    }
    expect(least).toBeGreaterThanOrEqual(box.min);
    expect(most).toBeLessThanOrEqual(box.max);
  });

  test('restored at every yield, the rest is the same', () => {
    const model = network(seen);
    const weights = sharp(model);
    const samples = samplesFor(model, weights, 4, -1, 1);
    const options = { samples: 3, seed: 4, iterations: 2, box, group: 2, chunk: 64 };
    const update = updateOf(weights);
    const whole = [...(tangentAttack(model, samples, options).next({ phase: 'rest' }, update) as Steps)];
    expect(whole.filter(([, result]) => result?.outcome === 'found')).toHaveLength(3);
    expect(whole.at(-1)?.[0]).toEqual({ phase: 'rest' });

    for (let at = 0; at < whole.length - 1; at++) {
      const stage = tangentAttack(model, samples, options);
      const rest = [...(stage.next(structuredClone(whole[at]![0]), update) as Steps)];
      expect(rest, `from step ${at}`).toEqual(whole.slice(at + 1));
    }
  });

  test('a sample comes out the same, whichever others are attacked and in whatever order', () => {
    const model = network(seen);
    const weights = sharp(model);
    const samples = samplesFor(model, weights, 20, -1, 1);
    const options = { seed: 4, iterations: 10, box, group: 4, chunk: 64 };
    const few = attack(model, weights, samples, { ...options, samples: 3, shuffle: false });
    const all = attack(model, weights, samples, { ...options, samples: 20 });
    expect(few.map(({ index }) => index).sort()).toEqual([0, 1, 2]);
    expect(all.findIndex(({ index }) => index === few[0]!.index)).toBeGreaterThan(3); // in another group, at another place
    for (const one of few) expect(all.find(({ index }) => index === one.index)).toEqual({ ...one, total: 20 });
  });

  test('tensors: none left over, also when it is left half-way', () => {
    const model = network(seen);
    const weights = sharp(model);
    const samples = samplesFor(model, weights, 6, -1, 1);
    const before = tf.memory().numTensors;
    attack(model, weights, samples, { samples: 6, seed: 0, iterations: 2, box, chunk: 64 });
    for (const stop of [1, 3, 20, 30]) {
      const stage = tangentAttack(model, samples, { samples: 6, seed: 0, iterations: 2, box, chunk: 64 });
      let step = 0;
      for (const _ of stage.next(stage.start(), updateOf(weights)) as Steps) if (++step === stop) break;
    }
    expect(tf.memory().numTensors).toBe(before);
  });
});

test.each(['paper', 'authors'] as const)(
  'the ledger counts every row that the model is asked about: %s',
  (protocol) => {
    const plain = network('whole');
    const weights = sharp(plain);
    const samples = samplesFor(plain, weights, 3, -1, 1);
    let rows = 0;
    const model = watched(plain, (_, n) => {
      rows += n;
    });
    const results = attack(model, weights, samples, {
      samples: 3,
      seed: 1,
      iterations: 4,
      box,
      group: 1,
      protocol,
      choose: 'all',
      shuffle: false,
    });
    expect(results.every(({ outcome }) => outcome === 'found')).toBe(true);
    expect(results.reduce((sum, { queries }) => sum + queries, 0)).toBe(rows);
  },
);

/** Class 1 is a ball of radius 0.3 about the origin, too small for noise to hit in many dimensions; all else is class 0. */
function ball(d: number): Attacked {
  return {
    ...constant(d, [0, 1]),
    logits: (_, x) =>
      tf.tidy(() => {
        const inside = tf.sub(0.3 ** 2, tf.sum(tf.square(x), 1, true));
        return tf.concat([tf.zerosLike(inside), inside], 1) as tf.Tensor2D;
      }),
  };
}

describe('the start', () => {
  const d = 12;
  /** Samples along the first axis at these distances from the origin, labeled as the ball says. */
  const along = (...away: number[]): LabeledSamples => ({
    name: 'along an axis',
    size: away.length,
    sampleShape: [d],
    values: Float32Array.from(away.flatMap((one) => Array.from({ length: d }, (_, i) => (i === 0 ? one : 0)))),
    labels: Uint8Array.from(away, (one) => Number(Math.abs(one) < 0.3)),
  });
  const options = { samples: 1, seed: 0, iterations: 4, box, group: 2, shuffle: false };

  test('where noise never flips: the nearest images of the evaluation set, though they are not attacked', () => {
    const [result] = attack(ball(d), new Map(), along(1.3, 1.2, 1.1, 0.2, 0.1), options);
    expect(result).toMatchObject({ index: 0, outcome: 'found', start: 'image' });
    expect(result!.distance).toBeCloseTo(1, 4);
    expect(result!.queries).toBeGreaterThan(5000 + 4); // every draw and every image that it asked about
  });

  test('where no image helps: noise, as soon as one batch holds it', () => {
    const [result] = attack(ball(d), new Map(), along(0.2, 0.1, 0.15), { ...options, seed: 1 });
    expect(result).toMatchObject({ outcome: 'found', start: 'noise' });
    expect(result!.queries).toBeLessThan(2000);
  });

  test('nothing was found: none', () => {
    const [result] = attack(constant(d, [1, 0]), new Map(), along(1, 2), options);
    expect(result).toMatchObject({ outcome: 'never-flipped', start: 'none', queries: 1 + 5000 + 1 });
  });

  test('the authors’ start: noise, or one of the other attacked samples', () => {
    const literal = { ...options, protocol: 'authors' } as const;
    const samples = along(1.3, 0.1, 1.2, 0.2);
    expect(attack(ball(d), new Map(), samples, literal)[0]).toMatchObject({ outcome: 'never-flipped', start: 'none' });
    const both = attack(ball(d), new Map(), samples, { ...literal, samples: 2 });
    expect(both.find(({ index }) => index === 0)).toMatchObject({ outcome: 'found', start: 'image' });
  });

  test('from DDN: the start is white-box and says so, its queries count, and what follows is near to it', () => {
    const model = network('dense');
    const weights = sharp(model);
    const samples = samplesFor(model, weights, 10, -1, 1);
    const common = { samples: 10, seed: 3, box };
    const [walked, longer] = [2, 3].map((iterations) =>
      attack(model, weights, samples, { ...common, iterations, start: 'ddn' }),
    ) as [AttackResult[], AttackResult[]];
    const stage = ddn(model, samples, { ...common, iterations: 50 });
    const steps = stage.next({ phase: 'rest' }, updateOf(weights)) as Iterable<readonly [unknown, AttackResult?]>;
    const begun = [...steps].flatMap(([, result]) => result ?? []);
    for (const { index, start, kind, queries, distance } of walked) {
      expect([start, kind]).toEqual(['ddn', 'white-box']);
      const own = begun.find((one) => one.index === index)!;
      const step = longer.find((one) => one.index === index)!.queries - queries;
      expect(queries).toBeGreaterThan(own.queries + step); // two iterations, of which the first asks less
      expect(queries).toBeLessThan(own.queries + 2 * step);
      expect(distance).toBeLessThan(1.3 * own.distance);
    }
    expect(() => tangentAttack(model, samples, { ...common, start: 'noise' as 'ddn' })).toThrow(
      "stage 'tangent attack' was given start",
    );
  });

  test('of three adversarial classes the one that comes nearest in the end is kept', () => {
    const model = network('dense');
    const weights = sharp(model);
    const samples = samplesFor(model, weights, 30, -1, 1);
    const common = { samples: 30, seed: 3, iterations: 40, box };
    const paper = attack(model, weights, samples, common);
    const authors = attack(model, weights, samples, { ...common, protocol: 'authors' });
    const mean = (of: readonly AttackResult[]) => of.reduce((sum, { distance }) => sum + distance, 0) / of.length;
    expect(mean(paper)).toBeLessThanOrEqual(1.001 * mean(authors));
    for (const { index, distance } of paper) {
      expect(distance).toBeLessThan(1.5 * authors.find((other) => other.index === index)!.distance);
    }
  });
});

describe('stated outcomes', () => {
  const nothing = {
    outcome: 'never-flipped',
    distance: Number.NaN,
    adversarialLabel: -1,
    adversarial: new Float32Array(0),
  };
  const zeros = (size: number): LabeledSamples => ({
    name: 'zeros',
    size,
    sampleShape: [6],
    values: new Float32Array(6 * size),
    labels: new Uint8Array(size),
  });

  test('a constant classifier never flips, in seconds also where 5000 rounds are allowed', () => {
    const results = attack(constant(6, [1, 0]), new Map(), zeros(4), { samples: 4, seed: 0, protocol: 'authors' });
    expect(results).toHaveLength(4);
    for (const result of results) expect(result).toMatchObject({ ...nothing, queries: 5001 });
  });

  test('NaN logits: for the sample itself, and at a point that was evaluated', () => {
    const [result] = attack(constant(6, [0, Number.NaN]), new Map(), zeros(1), { samples: 1, seed: 0, choose: 'all' });
    expect(result).toMatchObject({ ...nothing, outcome: 'not-a-number', predicted: -1, queries: 1 });

    const away: Attacked = {
      ...constant(6, [1, 0]),
      logits: (_, x) =>
        tf.tidy(
          () =>
            tf.pad(tf.sqrt(tf.sub(0.1, tf.max(x, 1, true))), [
              [0, 0],
              [0, 1],
            ]) as tf.Tensor2D,
        ),
    };
    const [second] = attack(away, new Map(), zeros(1), { samples: 1, seed: 0 });
    expect(second).toMatchObject({ ...nothing, outcome: 'not-a-number', predicted: 0 });
  });

  test('already misclassified: reported with `all`, passed over with `correct`', () => {
    const model = network('whole');
    const weights = sharp(model);
    const samples = samplesFor(model, weights, 5, -1, 1);
    const labels = samples.labels.map((label, i) => (i === 1 ? (label + 1) % 3 : label));
    const options = { samples: 5, seed: 0, iterations: 1, box, shuffle: false };
    const all = attack(model, weights, { ...samples, labels }, { ...options, choose: 'all' });
    expect(all.find(({ index }) => index === 1)).toMatchObject({
      ...nothing,
      outcome: 'already-misclassified',
      queries: 1,
      predicted: samples.labels[1],
    });
    expect(all.filter(({ outcome }) => outcome === 'found')).toHaveLength(4);
    const correct = attack(model, weights, { ...samples, labels }, options);
    expect(correct.map(({ index }) => index).sort()).toEqual([0, 2, 3, 4]);
  });

  test.each([[1], [60], [101], [130], [400], [1500]])('a budget of %i is never passed', (budget) => {
    const model = network('whole');
    const weights = sharp(model);
    const samples = samplesFor(model, weights, 4, -1, 1);
    const results = attack(model, weights, samples, { samples: 4, seed: 0, box, budget });
    expect(results).toHaveLength(4);
    for (const { outcome, queries, distance, adversarialLabel, predicted } of results) {
      expect(outcome).toBe('out-of-queries');
      expect(queries).toBeLessThanOrEqual(budget);
      if (budget >= 130) expect(distance).toBeGreaterThan(0);
      expect(adversarialLabel).not.toBe(predicted);
    }
  });

  test('a model that takes its answer back is called unstable', () => {
    const plain = network('whole');
    const weights = sharp(plain);
    const samples = samplesFor(plain, weights, 2, -1, 1);
    const options = { samples: 1, seed: 0, iterations: 1, box, group: 1, shuffle: false };
    let calls = 0;
    const counted = watched(plain, () => calls++);
    attack(counted, weights, samples, options);
    const last = calls;
    calls = 0;
    const first = tf.tensor2d(samples.values.slice(0, 12), [1, 12]);
    const fickle: Attacked = { ...plain, logits: (w, x) => plain.logits(w, ++calls === last ? first : x) };
    const [result] = attack(fickle, weights, samples, options);
    expect(result).toMatchObject({ ...nothing, outcome: 'unstable' });
  });
});

test('samples that do not fit, and options that count nothing, are refused by name', () => {
  const model = network('whole');
  const samples = {
    name: 'digits',
    size: 1,
    sampleShape: [2, 2],
    values: new Float32Array(4),
    labels: new Uint8Array(1),
  };
  expect(() => tangentAttack(model, samples, { samples: 1, seed: 0 })).toThrow(
    "stage 'tangent attack' was given samples of shape [2, 2] ('digits'), but mlp 12-16-3 gelu takes [12]",
  );
  const fitting = { ...samples, sampleShape: [12], values: new Float32Array(12) };
  expect(() => tangentAttack(model, fitting, { samples: 0, seed: 0 })).toThrow(
    "stage 'tangent attack' was given samples = 0",
  );
});
