import { beforeAll, describe, expect, test } from 'vitest';
import { linear } from '../../../src/learn/model/linear.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import type { Model, Weights } from '../../../src/learn/model/model.js';
import type { LabeledSamples } from '../../../src/measure/inputs.js';
import { type TrackingOptions, tracking } from '../../../src/measure/tracking/tracking.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { deviation, type GoldenTensor, golden } from '../../golden.js';
import { updateOf } from '../attack/models.js';

beforeAll(() => loadTensorFlow());

const track = (model: Model, samples: LabeledSamples, weights: Weights, options?: TrackingOptions) => {
  const [, out] = tracking(model, samples, options).next(null, updateOf(weights)) as [null, { samples: unknown[] }];
  return out as {
    number: number;
    epoch: number;
    samples: Record<'theta' | 'featureNorm' | 'loss' | 'index', number>[];
  };
};

const samplesOf = (rows: number[][], labels: number[]): LabeledSamples => ({
  name: 'points',
  size: rows.length,
  sampleShape: [rows[0]!.length],
  values: Float32Array.from(rows.flat()),
  labels: Uint8Array.from(labels),
});

test('closed forms: the least cosine over the wrong classes, biases aside', () => {
  const model = linear([2, 3], { bias: true });
  // rows W = (1, 0), (0, 1), (−1, 0)
  const weights = new Map<string, tf.Tensor>([
    ['readout/kernel', tf.tensor2d([1, 0, -1, 0, 1, 0], [2, 3])],
    ['readout/bias', tf.tensor1d([0, 0, 5])],
  ]);
  const samples = samplesOf([[9, 9], [2, 0], [0, 0]], [1, 0, 2]); // biome-ignore format: a table
  const { number, epoch, samples: tracked } = track(model, samples, weights, { indices: [1, 2] });
  expect([number, epoch]).toEqual([10, 2]);
  expect(tracked[0]).toMatchObject({ index: 1, label: 0, featureNorm: 2 });
  expect(tracked[0]!.theta).toBeCloseTo(Math.SQRT1_2, 6); // against class 1; 1 against class 2
  expect(tracked[0]!.loss).toBeCloseTo(Math.log(Math.exp(2) + 1 + Math.exp(3)) - 2, 5);
  expect(tracked[1]).toMatchObject({ index: 2, theta: Number.NaN, featureNorm: 0 });
});

test('a sample that there is not, or none, is refused', () => {
  const samples = samplesOf([[1, 2]], [0]);
  const model = linear([2, 2]);
  expect(() => tracking(model, samples, { indices: [1] })).toThrow(
    "stage 'tracking' was to track sample 1 of 'points'",
  );
  expect(() => tracking(model, samples, { indices: [] })).toThrow("stage 'tracking' was given no samples to track");
  expect(() => tracking(linear([3, 2]), samples)).toThrow('linear 3-2 takes [3]');
});

type Network = Record<'hiddenKernel' | 'hiddenBias' | 'readoutKernel' | 'readoutBias', GoldenTensor>;
const vectors = golden<
  { network: Network; x: GoldenTensor; label: number },
  { features: GoldenTensor; theta: number[] }
>('certificate');

describe.skipIf(vectors === undefined)('reference vectors: θ and features of certificates', () => {
  test.each(vectors ?? [])('$name', ({ input: { network, x, label }, expected, tolerance }) => {
    const [inputs, hidden] = network.hiddenKernel.shape as [number, number];
    const model = mlp([inputs, hidden, network.readoutBias.shape[0]!], { scale: 'none' });
    const weights = new Map(
      (['hidden1/kernel', 'hidden1/bias', 'readout/kernel', 'readout/bias'] as const).map((name, i) => {
        const { data, shape } = Object.values(network)[i] as GoldenTensor;
        return [name as string, tf.tensor(data, shape)];
      }),
    );
    const found = track(model, samplesOf([x.data], [label]), weights).samples[0]!;
    expect(deviation([found.theta], [Math.min(...expected.theta)], tolerance)).toBeLessThan(1);
    expect(deviation([found.featureNorm], [Math.hypot(...expected.features.data)], tolerance)).toBeLessThan(1);
  });
});
