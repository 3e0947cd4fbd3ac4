import { beforeAll, describe, expect, test } from 'vitest';
import { mlp } from '../../../src/learn/model/model-mlp.js';
import { type SpectralKind, spectralRegularizer } from '../../../src/learn/regularizer/penalty.js';
import { powerIterate } from '../../../src/learn/spectral/dense.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/device-tf.js';
import { deviation, type GoldenTensor, golden } from '../../golden.js';

beforeAll(() => loadTensorFlow());

const penalties = golden<
  { regulariser: SpectralKind; gamma: number; kernels: GoldenTensor[] },
  { value: number; gradients: GoldenTensor[] }
>('spectral-penalty');

describe.skipIf(penalties === undefined)('reference vectors: spectral-penalty', () => {
  test.each(penalties ?? [])('$name', ({ input, expected, tolerance }) => {
    const sizes = [input.kernels[0]!.shape[0]!, ...input.kernels.map((kernel) => kernel.shape[1]!)];
    const model = mlp(sizes);
    const kernels = [...model.featureLayers, model.readout].map((layer) => layer.kernel);
    const weights = new Map(
      kernels.map((name, i) => [name, tf.tensor(input.kernels[i]!.data, input.kernels[i]!.shape)]),
    );
    const gradients = new Map(kernels.map((name) => [name, tf.zerosLike(weights.get(name)!)]));
    const penalty = spectralRegularizer(input.regulariser, model, { gamma: input.gamma, iterations: 100 });

    penalty.newest = penalty.iterate(penalty.begin(weights), weights); // the first search may stop short of convergence
    penalty.ticked = true;
    penalty.addGradients({ weights }, gradients);

    expect(deviation([penalty.value({ weights })], [expected.value], tolerance)).toBeLessThanOrEqual(1);
    kernels.forEach((name, i) => {
      const found = gradients.get(name)!.dataSync();
      expect(deviation(found, expected.gradients[i]!.data, tolerance), name).toBeLessThanOrEqual(1);
    });
  });
});

const traces = golden<
  { kernel: GoldenTensor; v0: GoldenTensor },
  { v: GoldenTensor; sigmaSquared: GoldenTensor; sigma: number }
>('power-iteration-trace');

describe.skipIf(traces === undefined)('reference vectors: power-iteration-trace', () => {
  test.each(traces ?? [])('$name', ({ input, expected, tolerance }) => {
    const kernel = tf.tensor2d(input.kernel.data, input.kernel.shape as [number, number]);
    const [steps, length] = expected.v.shape as [number, number];
    let v = Float32Array.from(input.v0.data);
    for (let i = 0; i < steps; i++) {
      const found = powerIterate(kernel, v, { steps: 1 });
      v = found.v as typeof v;
      const wanted = expected.v.data.slice(i * length, (i + 1) * length);
      expect(deviation(v, wanted, tolerance), `v after step ${i + 1}`).toBeLessThanOrEqual(1);
      expect(deviation([found.sigma ** 2], [expected.sigmaSquared.data[i]!], tolerance)).toBeLessThanOrEqual(1);
    }
    const { sigma } = powerIterate(kernel, v, { steps: 200, direction: 1e-6 });
    expect(deviation([sigma], [expected.sigma], tolerance)).toBeLessThanOrEqual(1);
  });
});
