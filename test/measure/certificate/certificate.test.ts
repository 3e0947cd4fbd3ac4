import { beforeAll, describe, expect, test } from 'vitest';
import { keyed } from '../../../src/flow/random.js';
import { model as layered } from '../../../src/learn/model/layered.js';
import * as layers from '../../../src/learn/model/layers.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import { type Model, norms, type Weights } from '../../../src/learn/model/model.js';
import { ddn } from '../../../src/measure/attack/ddn.js';
import type { AttackResult } from '../../../src/measure/attack/record.js';
import { localBound, marginsOf, readoutOf } from '../../../src/measure/certificate/bounds.js';
import { type CertificateOptions, certificate, certifier } from '../../../src/measure/certificate/certificate.js';
import { type Certificate, certificateRecord } from '../../../src/measure/certificate/record.js';
import { jacobianNorms, productsOf } from '../../../src/measure/geometry/jacobian.js';
import type { LabeledSamples } from '../../../src/measure/inputs.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { deviation, type GoldenTensor, golden } from '../../golden.js';
import { constant, linear, network, samplesFor, updateOf } from '../attack/models.js';
import { type GoldenNetwork, networkOf } from './networks.js';

beforeAll(() => loadTensorFlow());

const vectors = golden<
  { network: GoldenNetwork; x: GoldenTensor; label: number },
  {
    features: GoldenTensor;
    jacobianNorm: number;
    theta: number[];
    marginOverReadoutNorm: number[];
    boundWithLayerNorms: number[];
  }
>('certificate');

describe.skipIf(vectors === undefined)('reference vectors: certificate', () => {
  test.each(vectors ?? [])('$name', ({ input, expected, tolerance }) => {
    const { model, weights } = networkOf(input.network);
    const x = tf.tensor2d(input.x.data, [1, input.x.data.length]);
    const features = model.features(weights, x).dataSync<'float32'>();
    const margins = marginsOf(
      readoutOf(model, weights),
      features,
      model.logits(weights, x).dataSync<'float32'>(),
      input.label,
    );
    const within = (actual: ArrayLike<number>, wanted: ArrayLike<number>): void =>
      expect(deviation(actual, wanted, tolerance)).toBeLessThanOrEqual(1);
    within(features, expected.features.data);
    within(
      margins.map(({ theta }) => theta),
      expected.theta,
    );
    within(
      margins.map(({ margin, readoutNorm }) => margin / readoutNorm.l2),
      expected.marginOverReadoutNorm,
    );
    const products = productsOf('test', model)(weights, x);
    within(jacobianNorms(products, tf.tensor2d([[0.3, 0.7]]), 'l2', { steps: 100, tolerance: 1e-7 }), [
      expected.jacobianNorm,
    ]);
    const bounds = certifier('test', model, { local: [] })(weights)(Float32Array.from(input.x.data), input.label, 0);
    within([bounds.lemma1], [Math.min(...expected.boundWithLayerNorms)]);
    within(
      margins.map(({ margin, readoutNorm }) => margin / readoutNorm.l2 / bounds.lipschitz),
      expected.boundWithLayerNorms,
    );
  });
});

const all = (
  model: Model,
  weights: Weights,
  samples: LabeledSamples,
  options: Partial<CertificateOptions> = {},
): Certificate[] => {
  const stage = certificate(model, samples, { samples: samples.size, seed: 1, ...options });
  const steps = stage.next(stage.start(), updateOf(weights)) as Iterable<readonly [unknown, Certificate?]>;
  return [...steps].flatMap(([, one]) => one ?? []);
};

test('a linear network: both bounds are the exact distance of the boundary, |w·x + b| / ‖w‖_q', () => {
  const model = linear(6, 3, 'whole');
  const weights = model.start(0);
  const samples = samplesFor(model, weights, 12, -1, 1);
  const w = weights.get('readout/kernel')!.dataSync();
  const b = weights.get('readout/bias')!.dataSync();
  const found = all(model, weights, samples);
  expect(found).toHaveLength(12);
  for (const { index, label, outcome, lower, local, featureNorm, lipschitz } of found) {
    expect(outcome).toBe('certified');
    const x = samples.values.subarray(index * 6, (index + 1) * 6);
    const exact = { l1: Infinity, l2: Infinity, linf: Infinity };
    for (const k of [0, 1, 2].filter((k) => k !== label)) {
      const difference = Array.from(x, (_, i) => w[3 * i + label]! - w[3 * i + k]!);
      const margin = difference.reduce((sum, value, i) => sum + value * x[i]!, b[label]! - b[k]!);
      exact.l1 = Math.min(exact.l1, margin / Math.max(...difference.map(Math.abs)));
      exact.l2 = Math.min(exact.l2, margin / Math.hypot(...difference));
      exact.linf = Math.min(exact.linf, margin / difference.reduce((sum, value) => sum + Math.abs(value), 0));
    }
    for (const norm of norms) {
      expect(lower[norm]).toBeLessThan(exact[norm]);
      expect(lower[norm]).toBeGreaterThan(exact[norm] * (1 - 1e-4) - 1e-5);
      expect(local[norm] / exact[norm]).toBeCloseTo(1, 4);
    }
    expect(featureNorm).toBeCloseTo(Math.hypot(...x), 5);
    expect(lipschitz).toBeCloseTo(1, 4);
  }
});

test('a network of 1-Lipschitz layers: the bound is margin / ‖w_c − w_k‖, and DDN finds no point nearer', () => {
  const { lipschitzDense, maxMin, dense } = layers;
  const model = layered({
    inputShape: [12],
    layers: [lipschitzDense(16), maxMin(), lipschitzDense(16), maxMin(), dense(3)],
  });
  const weights = model.start(2);
  const samples = samplesFor(model, weights, 20, -1, 1);
  const w = weights.get('readout/kernel')!.dataSync();
  const logits = model.logits(weights, tf.tensor2d(samples.values as Float32Array, [20, 12])).arraySync() as number[][];
  const found = all(model, weights, samples, { local: [] });
  const stage = ddn(model, samples, { samples: 20, seed: 1, box: { min: -9, max: 9 }, certificate: 'crown' });
  const steps = stage.next(stage.start(), updateOf(weights)) as Iterable<readonly [unknown, AttackResult?]>;
  const points = [...steps].flatMap(([, one]) => one ?? []);
  expect([found.length, points.length]).toEqual([20, 20]);
  for (const { index, label, lower, method, lipschitz } of found) {
    expect([method, lipschitz]).toEqual(['lipschitz', expect.closeTo(1, 4)]);
    const bounds = [0, 1, 2].flatMap((k) => {
      if (k === label) return [];
      const apart = Math.hypot(...Array.from({ length: 16 }, (_, i) => w[3 * i + label]! - w[3 * i + k]!));
      return [(logits[index]![label]! - logits[index]![k]!) / apart];
    });
    expect(lower.l2).toBeLessThan(Math.min(...bounds));
    expect(lower.l2).toBeGreaterThan(Math.min(...bounds) * (1 - 1e-4) - 1e-5);
    const point = points.find((one) => one.index === index)!;
    expect(point).toMatchObject({ outcome: 'found', method: 'lipschitz', lower: expect.closeTo(lower.l2, 6) });
    expect(point.distance).toBeGreaterThanOrEqual(lower.l2);
    expect(point.distance).toBeLessThan(20 * lower.l2);
  }
});

describe('the slope of the feature map', () => {
  test('for p = 1 and ∞ the sums of the Jacobian, transposed the right way; for p = 2 its σ', () => {
    const model = mlp([2, 3, 2], { activation: 'relu' });
    const weights = new Map<string, tf.Tensor>([
      ['hidden1/kernel', tf.tensor2d([1, 2, 3, -1, 5, 0], [2, 3])],
      ['hidden1/bias', tf.fill([3], 100)], // every unit is on
    ]);
    const products = productsOf('test', model)(weights, tf.zeros([4, 2]));
    const start = tf.randomNormal([4, 2], 0, 1, 'float32', 3) as tf.Tensor2D;
    const norm = (of: (typeof norms)[number]) => Math.max(...jacobianNorms(products, start, of, { steps: 60 }));
    expect(norm('l1')).toBeCloseTo(6, 5); // an input's outputs: |1| + |2| + |3|, |−1| + |5|
    expect(norm('linf')).toBeCloseTo(7, 5); // an output's inputs: |2| + |5|
    expect(norm('l2')).toBeCloseTo(Math.sqrt(20 + Math.sqrt(117)), 3); // of [[14, 9], [9, 26]]
  });

  test('the local estimate is capped by R, and finds slopes that the sample itself does not have', () => {
    const model = mlp([1, 1, 2], { activation: 'relu', scale: 'none' });
    const weights = new Map<string, tf.Tensor>([
      ['hidden1/kernel', tf.tensor2d([[2]])],
      ['hidden1/bias', tf.tensor1d([-1])],
      ['readout/kernel', tf.tensor2d([[-1, 1]])],
      ['readout/bias', tf.tensor1d([1, -1])],
    ]);
    const x = Float32Array.of(0); // Φ = relu(2x − 1) is 0 up to ½, and the boundary is at 1
    const local = localBound('test', model, { points: 64, steps: 5, seed: 0 });
    const margins = [{ rival: 1, margin: 2, rounding: 0, theta: 0, readoutNorm: { l1: 2, l2: 2, linf: 2 } }];
    expect(local(weights, x, margins, 'l2', 0, 0.4)).toBe(0.4); // flat in there
    expect(local(weights, x, margins, 'l2', 0, 0.9)).toBeCloseTo(0.5, 6); // slope 2 in there
    expect(local(weights, x, margins, 'l2', 0, Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
  });
});

test('Lemma 1 ≤ local in every norm, and the relaxation above it, also beside a radius of the user', () => {
  const model = network('whole', [16, 16]);
  const weights = new Map([...model.start(2)].map(([name, w]) => [name, tf.mul(w, 60)]));
  const samples = samplesFor(model, weights, 10, -1, 1);
  for (const radius of [undefined, 100, { l1: 100, l2: 10, linf: 1 }]) {
    const found = all(model, weights, samples, radius === undefined ? {} : { radius });
    expect(found).toHaveLength(10);
    for (const { lower, local, lemma1, method } of found) {
      for (const norm of norms) {
        const bound = norm === 'l2' ? lemma1 : lower[norm];
        expect(bound).toBeGreaterThan(0);
        expect(local[norm]).toBeGreaterThanOrEqual(bound);
      }
      expect(method).toBe('sdp');
      expect(lower.l2).toBeGreaterThan(lemma1);
    }
  }
});

describe('the method', () => {
  const one = (model: Model, weights: Weights, options: Partial<CertificateOptions>): Certificate => {
    const random = keyed(1, 'test/methods');
    const size = model.inputShape.reduce((product, side) => product * side, 1);
    const values = Float32Array.from({ length: size }, () => random.normal());
    const labels = Uint8Array.of(
      model
        .logits(weights, tf.tensor(values, [1, ...model.inputShape]))
        .argMax(1)
        .dataSync()[0]!,
    );
    const samples = { name: 'one', size: 1, sampleShape: model.inputShape, values, labels };
    return all(model, weights, samples, { local: [], ...options })[0]!;
  };

  test('those that are asked for are run, the best of them is the bound, and ℓ1 and ℓ∞ stay those of Lemma 1', () => {
    const model = network('whole', [16, 16]);
    const weights = new Map([...model.start(2)].map(([name, w]) => [name, tf.mul(w, 60)]));
    const [lemma1, crown, sdp] = ([[], ['crown'], ['crown', 'sdp']] as const).map((methods) =>
      one(model, weights, { methods }),
    );
    expect([lemma1, crown, sdp].map((each) => each!.method)).toEqual(['lipschitz', 'crown', 'sdp']);
    expect(lemma1!.lower.l2).toBe(lemma1!.lemma1);
    expect(crown!.lower.l2).toBeGreaterThan(lemma1!.lower.l2);
    expect(sdp!.lower.l2).toBeGreaterThan(crown!.lower.l2);
    for (const each of [crown, sdp])
      expect(each!.lower).toMatchObject({ l1: lemma1!.lower.l1, linf: lemma1!.lower.linf });
    expect(sdp).not.toHaveProperty('fallback');
  });

  test('a layer that none knows leaves Lemma 1, and the record says which layer it is', () => {
    const { own, dense } = layers;
    const model = layered({
      inputShape: [4],
      layers: [dense(3), own({ name: 'sine', apply: (x) => tf.sin(x), lipschitz: 1 }), dense(2)],
    });
    const found = one(model, model.start(1), {});
    expect(found).toMatchObject({ method: 'lipschitz', fallback: "no relaxation of layer 'sine1' is known" });
    expect(found.lower.l2).toBe(found.lemma1);
    expect(certificateRecord(1).schema.safeParse(found).success).toBe(true);
  });

  test('one that is none is refused by its name', () => {
    const model = network('whole');
    expect(() => one(model, model.start(0), { methods: ['ibp' as 'crown'] })).toThrow(
      'stage \'certificate\' was given the method "ibp"',
    );
  });
});

describe('what becomes of a sample', () => {
  const samples = (labels: number[]): LabeledSamples => ({
    name: 'ones',
    size: labels.length,
    sampleShape: [3],
    values: new Float32Array(3 * labels.length).fill(1),
    labels: Uint8Array.from(labels),
  });
  const of = (model: Model, weights: Weights, labels: number[]) =>
    all(model, weights, samples(labels), { choose: 'all', shuffle: false });

  test('misclassified: bounds of 0; passed over by default', () => {
    const model = linear(3, 2, 'whole');
    const weights = model.start(0);
    const right = of(model, weights, [0])[0]!.predicted;
    const [wrong, fine] = of(model, weights, [1 - right, right]);
    expect(wrong).toMatchObject({
      outcome: 'already-misclassified',
      method: 'none',
      lower: { l2: 0 },
      local: { linf: 0 },
    });
    expect(fine).toMatchObject({ outcome: 'certified', rival: 1 - right });
    const model2 = all(model, weights, samples([1 - right, right]));
    expect(model2.map(({ index }) => index)).toEqual([1]);
  });

  test('NaN logits, one class, and a rival that nothing can reach', () => {
    const nan = linear(3, 2, 'whole');
    const broken = new Map([...nan.start(0)].map(([name, w]) => [name, tf.mul(w, Number.NaN)]));
    expect(of(nan, broken, [0])[0]).toMatchObject({
      outcome: 'not-a-number',
      predicted: -1,
      lower: { l2: Number.NaN },
      local: { l1: Number.NaN },
    });
    const alone = linear(3, 1, 'whole');
    expect(of(alone, alone.start(0), [0])[0]).toMatchObject({
      outcome: 'one-class',
      rival: -1,
      theta: Number.NaN,
      lower: { l1: Infinity },
      local: { l2: Infinity },
    });
    const biased = constant(3, [2, 1]);
    const same = new Map<string, tf.Tensor>([['readout/kernel', tf.ones([3, 2])]]);
    expect(of(biased, same, [0])[0]).toMatchObject({ outcome: 'certified', lower: { l2: Infinity } });
  });
});

test('a norm that was not asked for is NaN, and nothing is left on the device', () => {
  const model = network('whole');
  const weights = new Map([...model.start(2)].map(([name, w]) => [name, tf.mul(w, 60)]));
  const samples = samplesFor(model, weights, 3, -1, 1);
  const before = tf.memory().numTensors;
  for (const { local } of all(model, weights, samples, { local: ['l2'], points: 5, steps: 2 })) {
    expect(local).toEqual({ l1: Number.NaN, l2: expect.any(Number), linf: Number.NaN });
    expect(local.l2).toBeGreaterThan(0);
  }
  expect(tf.memory().numTensors).toBe(before);
});
