import { beforeAll, describe, expect, test } from 'vitest';
import { mlp } from '../../../src/learn/model/mlp.js';
import type { Model, Weights } from '../../../src/learn/model/model.js';
import {
  type ExactDistancesOptions,
  exactDistances,
  type ScanState,
} from '../../../src/measure/geometry/exact-distances.js';
import type { ExactDistance } from '../../../src/measure/geometry/record.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { linear, network, updateOf } from '../attack/models.js';

beforeAll(() => loadTensorFlow());

/** A model of two classes by one function of the input, of class 1 where it is above 0. */
const above = (level: (x: tf.Tensor, y: tf.Tensor) => tf.Tensor): Model => ({
  ...linear(2, 2, 'whole'),
  logits: (_, points) =>
    tf.tidy(() => {
      const [x, y] = tf.split(points as tf.Tensor2D, 2, 1) as [tf.Tensor, tf.Tensor];
      return tf.concat([tf.zerosLike(x), level(x, y)], 1) as tf.Tensor2D;
    }),
});

const samples = (places: readonly (readonly number[])[], labels = places.map(() => 0)) => ({
  name: 'places',
  size: places.length,
  sampleShape: [2],
  values: Float32Array.from(places.flat()),
  labels: Uint8Array.from(labels),
});

type Steps = Iterable<readonly [ScanState, ExactDistance?]>;

function scan(
  model: Model,
  places: readonly (readonly number[])[],
  { labels, weights = new Map(), ...options }: ExactDistancesOptions & { labels?: number[]; weights?: Weights } = {},
): ExactDistance[] {
  const stage = exactDistances(model, samples(places, labels), options);
  return [...(stage.next(stage.start(), updateOf(weights)) as Steps)].flatMap(([, one]) => one ?? []);
}

describe('known boundaries', () => {
  const places = [
    [0, 0],
    [0.3, -0.4],
    [-1.2, 0.7],
    [0.1, 1.1],
  ];

  test('a line', () => {
    // 0.6x + 0.8y = 2
    const line = above((x, y) => x.mul(0.6).add(y.mul(0.8)).sub(2));
    const found = scan(line, places);
    expect(found.map(({ outcome }) => outcome)).toEqual(['found', 'found', 'found', 'found']);
    found.forEach(({ index, distance }) => {
      const [x, y] = places[index]!;
      const exact = 2 - 0.6 * x! - 0.8 * y!;
      expect(distance).toBeGreaterThan(exact - 1e-6);
      expect(distance).toBeLessThan(exact + 3e-6);
    });
  });

  test('a circle, seen from inside', () => {
    const circle = above((x, y) => x.square().add(y.square()).sub(4));
    for (const { index, distance } of scan(circle, places)) {
      const exact = 2 - Math.hypot(...places[index]!);
      expect(distance).toBeGreaterThan(exact - 1e-6);
      expect(distance).toBeLessThan(exact + 3e-6);
    }
  });

  test('the tip of a wedge that lies between two rays', () => {
    const [c, s] = [Math.cos(0.1234), Math.sin(0.1234)];
    const wedge = above((x, y) => {
      const [along, across] = [x.mul(c).add(y.mul(s)), y.mul(c).sub(x.mul(s))];
      return along.sub(1).sub(tf.abs(across).mul(5));
    });
    const [coarse] = scan(wedge, [[0, 0]], { directions: 360 });
    expect(coarse!.distance).toBeGreaterThan(1 - 1e-6);
    expect(coarse!.distance).toBeLessThan(1 + 2e-5); // the nearest of the 360 rays meets it at 1.006 or beyond
  });

  test('an island nearer than the far boundary, and one that is behind the sample', () => {
    const island = above((x, y) => tf.sub(0.04, x.sub(-1).square().add(y.square())));
    expect(scan(island, [[0, 0]])[0]!.distance).toBeCloseTo(0.8, 5);
  });
});

test('beyond reach, misclassified and NaN are outcomes of their own', () => {
  const line = above((x) => x.sub(2));
  const outcomes = (found: ExactDistance[]) => found.map(({ outcome, distance }) => [outcome, distance]);
  const few = { directions: 16, reach: 1.5 };
  expect(
    outcomes(
      scan(line, [[0, 0], [0, 0], [0.75, 0]], { ...few, labels: [0, 1, 0] }), // biome-ignore format: a sample each
    ),
  ).toEqual([
    ['beyond-reach', Number.NaN],
    ['already-misclassified', Number.NaN],
    ['found', expect.closeTo(1.25, 5)],
  ]);
  const broken = above((x) => tf.sqrt(tf.sub(0.25, x.square())).add(1));
  expect(outcomes(scan(broken, [[2, 0]], few))).toEqual([['not-a-number', Number.NaN]]);
  expect(outcomes(scan(broken, [[0, 0]], { ...few, labels: [1] }))).toEqual([['not-a-number', Number.NaN]]);
});

test('restored at every yield, the rest is the same; no tensor is left', () => {
  const model = mlp([2, 8, 2]);
  const weights = new Map([...model.start(3)].map(([name, w]) => [name, tf.mul(w, 300)]));
  const data = samples([[0.2, 0.1], [1, -1], [-1, 0.5]], [0, 1, 0]); // biome-ignore format: a sample each
  const stage = exactDistances(model, data, { directions: 1000, step: 0.002, reach: 1 });
  const update = updateOf(weights);
  const before = tf.memory().numTensors;
  const whole = [...(stage.next(stage.start(), update) as Steps)];
  expect(whole.length).toBeGreaterThan(4);
  for (let at = 0; at < whole.length - 1; at++) {
    expect([...(stage.next(structuredClone(whole[at]![0]), update) as Steps)]).toEqual(whole.slice(at + 1));
  }
  expect(whole.at(-1)![0]).toEqual(stage.start());
  expect(tf.memory().numTensors).toBe(before);
});

test('other dimensions, and lengths that are none, are refused', () => {
  const data = samples([[0, 0]]);
  expect(() => exactDistances(network('whole'), data)).toThrow(
    "stage 'exact distances' works in two dimensions, but mlp 12-16-3 gelu takes inputs of 12 values",
  );
  expect(() => exactDistances(mlp([2, 2, 2]), data, { reach: 0 })).toThrow("stage 'exact distances': reach is 0");
});
