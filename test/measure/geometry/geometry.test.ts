import { beforeAll, describe, expect, test } from 'vitest';
import type { Stage } from '../../../src/flow/stage.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import type { Model, Weights } from '../../../src/learn/model/model.js';
import type { Update } from '../../../src/learn/update.js';
import { geometryGrid, geometryPlane } from '../../../src/measure/geometry/geometry.js';
import {
  jacobianNorms,
  logVolume,
  planeMetric,
  productsOf,
  topEigenvalue,
} from '../../../src/measure/geometry/jacobian.js';
import type { Geometry } from '../../../src/measure/geometry/record.js';
import type { SurveyState } from '../../../src/measure/geometry/survey.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { deviation, type GoldenTensor, golden } from '../../golden.js';
import { linear, updateOf } from '../attack/models.js';
import { type GoldenNetwork, networkOf } from '../certificate/networks.js';

beforeAll(() => loadTensorFlow());

const vectors = golden<
  { network: GoldenNetwork; points: GoldenTensor },
  { metric: GoldenTensor; logVolumeElement: GoldenTensor; topEigenvalue: GoldenTensor }
>('metric');

describe.skipIf(vectors === undefined)('reference vectors: metric', () => {
  test.each(vectors ?? [])('$name', ({ input, expected, tolerance }) => {
    const { model, weights } = networkOf(input.network);
    const [n] = input.points.shape as [number, number];
    const products = productsOf('test', model)(weights, tf.tensor2d(input.points.data, [n, 2]));
    const metric = planeMetric(products, n, Float32Array.of(1, 0), Float32Array.of(0, 1));
    const each = (of: (at: number) => number) => Array.from({ length: n }, (_, at) => of(at));
    const whole = each((at) => at).flatMap((at) => [metric.aa[at]!, metric.ab[at]!, metric.ab[at]!, metric.bb[at]!]);
    expect(deviation(whole, expected.metric.data, tolerance)).toBeLessThanOrEqual(1);
    const volumes = each((at) => logVolume(metric, at));
    expect(deviation(volumes, expected.logVolumeElement.data, tolerance)).toBeLessThanOrEqual(1);
    const top = each((at) => topEigenvalue(metric, at));
    expect(deviation(top, expected.topEigenvalue.data, tolerance)).toBeLessThanOrEqual(1);
    const start = tf.randomNormal([n, 2], 0, 1, 'float32', 1) as tf.Tensor2D;
    const searched = jacobianNorms(products, start, 'l2', { steps: 200, tolerance: 0 }).map((norm) => norm ** 2);
    expect(deviation(searched, expected.topEigenvalue.data, tolerance)).toBeLessThanOrEqual(1);
  });
});

/** All steps of a stage on one update, and the geometry of the last. */
function survey(stage: Stage<Update, Geometry, SurveyState>, weights: Weights, from = stage.start()) {
  const steps = [...(stage.next(from, updateOf(weights)) as Iterable<readonly [SurveyState, Geometry?]>)];
  return { steps, geometry: steps.at(-1)![1]! };
}

/** x ↦ xW, then the two logits of the boundary x₁ = 1. */
const flat: Model = {
  ...linear(2, 2, 'whole'),
  jacobian: {
    forward: (_w, _x, p) => tf.matMul(p, tf.tensor2d([3, 0, 0, 4, 0, 1], [2, 3])),
    backward: (_w, _x, q) => tf.matMul(q, tf.tensor2d([3, 0, 0, 4, 0, 1], [2, 3]), false, true),
  },
  logits: (_, x) => tf.tidy(() => tf.matMul(x as tf.Tensor2D, tf.tensor2d([0, 1, 0, 0], [2, 2])).sub([1, 0])),
};

describe('a grid', () => {
  const points = { name: 'p', size: 1, sampleShape: [2], values: Float32Array.of(0.5, -1), labels: Uint8Array.of(1) };

  test('cells by row, y rising; boundary, margin, volume and eigenvalue of a linear map', () => {
    const stage = geometryGrid(flat, { x: [0, 4], y: [-1, 1], resolution: 4, points, batch: 5 });
    const { steps, geometry } = survey(stage, new Map());
    expect(steps).toHaveLength(4);
    expect(geometry).toMatchObject({
      number: 10,
      epoch: 2,
      kind: 'grid',
      xMin: 0,
      xMax: 4,
      yMin: -1,
      yMax: 1,
      columns: 4,
      rows: 4,
      points: [{ x: 0.5, y: -1, label: 1 }],
    });
    const row = [0.5, 1.5, 2.5, 3.5]; // x at the middles; the logits are −1 and x, their rows four alike
    expect([...geometry.margin]).toEqual([0, 1, 2, 3].flatMap(() => row.map((x) => x + 1)));
    expect([...geometry.classes]).toEqual(new Array(16).fill(1));
    // g = [[9, 12], [12, 17]]: its determinant is 9
    for (const volume of geometry.logVolume) expect(volume).toBeCloseTo(Math.log(3), 6);
    for (const top of geometry.topEigenvalue) expect(top).toBeCloseTo(13 + Math.hypot(4, 12), 4);
  });

  test('says of standardized points that they are, and so are its lengths', () => {
    const moved = { ...points, normalization: { mean: [0, 0], std: [2, 2] } };
    const said = (given?: typeof points) =>
      survey(geometryGrid(flat, { resolution: 2, ...(given && { points: given }) }), new Map()).geometry.standardized;
    expect([said(moved), said(points), said()]).toEqual([true, undefined, undefined]);
  });

  test('restored at every yield, the rest is the same; no tensor is left', () => {
    const model = mlp([2, 8, 3]);
    const weights = new Map([...model.start(1)].map(([name, w]) => [name, tf.mul(w, 100)]));
    const stage = geometryGrid(model, { resolution: 6, batch: 10 });
    const before = tf.memory().numTensors;
    const { steps } = survey(stage, weights);
    for (let at = 0; at < steps.length - 1; at++) {
      expect(survey(stage, weights, structuredClone(steps[at]![0])).steps).toEqual(steps.slice(at + 1));
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  test('NaN where the metric has no volume, −1 where logits are NaN', () => {
    const dead = mlp([2, 3, 2], { activation: 'relu' });
    const weights = new Map(
      [...dead.start(1)].map(([name, w]) => [name, name === 'hidden1/bias' ? tf.fill([3], -99) : w]),
    );
    const { geometry } = survey(geometryGrid(dead, { resolution: 2 }), weights);
    expect([...geometry.logVolume]).toEqual(new Array(4).fill(Number.NaN));
    expect([...geometry.topEigenvalue]).toEqual([0, 0, 0, 0]);
    const one = mlp([2, 1, 2]); // one feature: rank one, though float32 makes a determinant
    const large = new Map([...one.start(1)].map(([name, w]) => [name, tf.mul(w, 300)]));
    expect([...survey(geometryGrid(one, { resolution: 5 }), large).geometry.logVolume].every(Number.isNaN)).toBe(true);
    const broken = new Map([...one.start(1)].map(([name, w]) => [name, tf.mul(w, Number.NaN)]));
    const { classes, margin } = survey(geometryGrid(one, { resolution: 2 }), broken).geometry;
    expect([...classes]).toEqual([-1, -1, -1, -1]);
    expect([...margin].every(Number.isNaN)).toBe(true);
  });

  test('what it does not take', () => {
    expect(() => geometryGrid(mlp([3, 4, 2]))).toThrow("stage 'geometry grid' works in two dimensions, but mlp 3-4-2");
    expect(() => geometryGrid(mlp([2, 4, 2]), { x: [1, 1] })).toThrow("stage 'geometry grid': x is [1, 1]");
    expect(() => geometryGrid(mlp([2, 4, 2]), { resolution: 500 })).toThrow(
      "stage 'geometry grid' was given resolution = 500",
    );
    const { jacobian: _, ...model } = mlp([2, 4, 2]);
    expect(() => geometryGrid(model)).toThrow("stage 'geometry grid' needs the Jacobian of the feature map");
  });
});

describe('a plane', () => {
  const samples = (values: number[][], labels: number[]) => ({
    name: 'three',
    size: labels.length,
    sampleShape: [3],
    values: Float32Array.from(values.flat()),
    labels: Uint8Array.from(labels),
  });
  const model = linear(3, 4, 'whole');
  let weights: Weights = new Map();
  beforeAll(() => {
    weights = new Map<string, tf.Tensor>([
      ['readout/kernel', tf.tensor2d([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0], [3, 4])],
      ['readout/bias', tf.zeros([4])],
    ]);
  });
  const three = samples(
    [
      [9, 9, 9],
      [1, 0, 0],
      [1, 0, 2],
      [1, 1, 1],
    ],
    [2, 1, 0, 1],
  );

  test('through the first sample of each class: where they lie, what is seen there, and the metric of the plane alone', () => {
    const indices = [1, 2, 3] as const; // in the plane x₀ = 1
    const { geometry } = survey(geometryPlane(model, three, { indices: [...indices], resolution: 10 }), weights);
    expect(geometry.points).toEqual([
      { x: 0, y: 0, label: 1 },
      { x: 2, y: 0, label: 0 },
      { x: 1, y: 1, label: 1 },
    ]);
    const { xMin, xMax, yMin, yMax } = geometry;
    expect([xMin, xMax, yMin, yMax]).toEqual([-0.5, 2.5, -1, 2]);
    // at (x, y) the input is (1, y, x): logits 1, y, x, 0
    geometry.classes.forEach((found, cell) => {
      const [x, y] = [-0.5 + ((cell % 10) + 0.5) * 0.3, -1 + (Math.floor(cell / 10) + 0.5) * 0.3];
      const logits = [1, y, x, 0];
      const best = Math.max(...logits);
      const second = Math.max(...logits.filter((value) => value !== best));
      expect(found).toBe(logits.indexOf(best));
      expect(geometry.margin[cell]).toBeCloseTo(best - second, 5);
      expect(geometry.logVolume[cell]).toBeCloseTo(0, 5); // Φ(x) = x
      expect(geometry.topEigenvalue[cell]).toBeCloseTo(1, 5);
    });
    const usual = survey(geometryPlane(model, three, { resolution: 2 }), weights).geometry;
    expect(usual.points.map(({ label }) => label)).toEqual([0, 1, 2]);
  });

  test('the largest eigenvalue of the whole metric, where asked', () => {
    const steep: Model = {
      ...model,
      jacobian: {
        forward: (_w, _x, p) => tf.mul(p, tf.tensor1d([5, 2, 3])),
        backward: (_w, _x, q) => tf.mul(q, tf.tensor1d([5, 2, 3])),
      },
    };
    const of = (topEigenvalue: 'plane' | { input: number }) =>
      survey(geometryPlane(steep, three, { indices: [1, 2, 3], resolution: 2, topEigenvalue }), weights).geometry;
    expect(of('plane').topEigenvalue[0]).toBeCloseTo(9, 5);
    expect(of({ input: 50 }).topEigenvalue[3]).toBeCloseTo(25, 3);
    expect(of('plane').logVolume[0]).toBeCloseTo(Math.log(6), 5);
  });

  test('three on a line, and samples that are not there, are refused by number', () => {
    const line = samples(
      [
        [0, 0, 0],
        [1, 1, 1],
        [3, 3, 3],
      ],
      [0, 1, 2],
    );
    expect(() => geometryPlane(model, line)).toThrow("stage 'geometry plane': the samples 0, 1, 2 lie on a line");
    const twice = samples([[0, 0, 0], [0, 0, 0], [1, 0, 0]], [0, 1, 2]); // biome-ignore format: a row each
    expect(() => geometryPlane(model, twice)).toThrow('lie on a line');
    expect(() => geometryPlane(model, line, { indices: [0, 1, 7] })).toThrow("there is no sample 7 in 'three'");
  });
});
