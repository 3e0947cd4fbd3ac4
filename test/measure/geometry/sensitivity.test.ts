import { beforeAll, expect, test } from 'vitest';
import { mlp } from '../../../src/learn/model/mlp.js';
import { type Sensitivity, sensitivity, sensitivityOf } from '../../../src/measure/geometry/sensitivity.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { updateOf } from '../attack/models.js';

beforeAll(() => loadTensorFlow());

test('the part of the cells near the centers whose volume element is small', () => {
  const logVolume = Float32Array.of(0, Math.log(0.05), Math.log(0.2), Number.NaN);
  const topEigenvalue = Float32Array.of(1, Math.E, 1, 1);
  const found = sensitivityOf({ logVolume, topEigenvalue }, [1, 2, 3], 0.1);
  expect(found.insensitive).toBeCloseTo(2 / 3);
  expect(found.logVolume).toBeCloseTo((Math.log(0.05) + Math.log(0.2)) / 2);
  expect(found.logTopEigenvalue).toBeCloseTo(1 / 3);
});

test('a scale of all features changes the volume element, and not the area where it is small', () => {
  const logVolume = Float32Array.of(0, -1, -2, -3);
  const scaled = logVolume.map((value) => value + 5);
  const of = (volumes: Float32Array) =>
    sensitivityOf({ logVolume: volumes, topEigenvalue: volumes.map(Math.exp) }, [1, 3], 0.1);
  expect([of(logVolume).insensitive, of(scaled).insensitive]).toEqual([0.5, 0.5]);
  expect(of(scaled).logVolume - of(logVolume).logVolume).toBeCloseTo(5, 5);
});

test('a wide linear region is as sensitive everywhere: nothing in it is small', () => {
  const model = mlp([2, 4, 2]);
  const weights = new Map([...model.start(0)].map(([name, w]) => [name, w]));
  weights.set('hidden1/kernel', tf.tensor2d([1, 0, 0, 1, 0, 1, 1, 0], [2, 4]));
  weights.set('hidden1/bias', tf.fill([4], 30)); // where GELU is the identity
  const stage = sensitivity(model, { centers: [[1, 1]], resolution: 20 });
  const steps = [...(stage.next(stage.start(), updateOf(weights)) as Iterable<readonly [unknown, Sensitivity?]>)];
  expect(steps.at(-1)![1]).toMatchObject({ insensitive: 0, logVolume: expect.closeTo(Math.log(2), 4) });
});

test('centers outside of the square, and networks of other inputs, are refused', () => {
  expect(() => sensitivity(mlp([2, 4, 2]), { centers: [[9, 9]] })).toThrow(
    'no cell of [−3.5, 3.5]² is within 0.5 of a center',
  );
  expect(() => sensitivity(mlp([3, 4, 2]), { centers: [[0, 0]] })).toThrow('works in two dimensions');
});
