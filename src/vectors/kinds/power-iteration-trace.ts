import { powerIterate } from '../../learn/spectral/dense.js';
import type { tf } from '../../tensorflow/device-tf.js';
import { upload, type VectorKind } from './kind.js';

/** Power iteration on a dense kernel, step by step, and where it ends (paper, algorithm 1). */
export const powerIterationTrace: VectorKind = {
  kind: 'power-iteration-trace',
  compute(input, expected) {
    const traced = ['v', 'sigmaSquared'].filter((key) => expected.has(key));
    const steps = Math.max(0, ...traced.map((key) => expected.tensor(key).shape[0]!));
    const trace = () => {
      const kernel = upload(input.tensor('kernel', 2)) as tf.Tensor2D;
      let v = Float32Array.from(input.numbers('v0'));
      const vs: number[] = [];
      const squares: number[] = [];
      for (let i = 0; i < steps; i++) {
        const found = powerIterate(kernel, v, { steps: 1 });
        v = Float32Array.from(found.v);
        vs.push(...v);
        squares.push(found.sigma ** 2);
      }
      const { sigma } = powerIterate(kernel, v, { steps: 5000, direction: 1e-6 });
      kernel.dispose();
      return { vs, squares, sigma };
    };
    let made: ReturnType<typeof trace> | undefined;
    const once = () => (made ??= trace());
    return { v: () => once().vs, sigmaSquared: () => once().squares, sigma: () => once().sigma };
  },
};
