import { beforeAll, describe, expect, test } from 'vitest';
import { mlp } from '../../../src/learn/model/mlp.js';
import { regularizer } from '../../../src/learn/regularizer/registry.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { deviation, type GoldenTensor, golden } from '../../golden.js';

beforeAll(() => loadTensorFlow());

const metric = golden<
  {
    network: Record<'hiddenKernel' | 'hiddenBias' | 'readoutKernel' | 'readoutBias', GoldenTensor>;
    points: GoldenTensor;
  },
  { topEigenvalue: GoldenTensor }
>('metric');

describe.skipIf(metric === undefined)('reference vectors: the top eigenvalue of the metric', () => {
  test.each(metric ?? [])('$name', ({ input: { network, points }, expected, tolerance }) => {
    const tensor = ({ data, shape }: GoldenTensor) => tf.tensor(data, shape);
    const [inputs, hidden] = network.hiddenKernel.shape as [number, number];
    const model = mlp([inputs, hidden, network.readoutBias.shape[0]!], { scale: 'none' });
    const weights = new Map([
      ['hidden1/kernel', tensor(network.hiddenKernel)],
      ['hidden1/bias', tensor(network.hiddenBias)],
      ['readout/kernel', tensor(network.readoutKernel)],
      ['readout/bias', tensor(network.readoutBias)],
    ]);
    const one = regularizer('feature-jacobian', model, { gamma: 2, iterations: 300 });
    const found = Array.from({ length: points.shape[0]! }, (_, i) => {
      const x = tf.tensor2d(points.data.slice(i * inputs, (i + 1) * inputs), [1, inputs]);
      return one.value({ weights, x, labels: tf.tensor1d([]), features: model.features(weights, x) });
    });
    expect(deviation(found, expected.topEigenvalue.data, tolerance)).toBeLessThan(1);
  });
});
