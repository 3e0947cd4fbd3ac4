import { WeirError } from '../../flow/errors.js';
import type { DenseLayer, Model } from '../../learn/model/model.js';
import { shrinkage, shrinkageGradient } from '../../learn/regularizer/batch-spectral-shrinkage.js';
import { type SpectralKind, spectralRegularizer } from '../../learn/regularizer/spectral.js';
import { type ExactSigma, exactSigma } from '../../learn/spectral/exact.js';
import { powerIterate } from '../../learn/spectral/power.js';
import { tf } from '../../tensorflow/tf.js';
import { once, taken, upload, type VectorFields, type VectorKind } from '../vector-file.js';

/** σ of a strided, circularly padded convolution over its input, and ∂σ²/∂W (paper, appendix B and code block 1). */
export const convSpectralNorm: VectorKind = {
  kind: 'conv-spectral-norm',
  compute: (input) => ({
    sigma: () => withKernel(input, (_, { sigma }) => sigma),
    gradSigmaSquared: () => withKernel(input, gradient),
  }),
};

/** 2 pᵀ(pW) for the wave p of the largest σ at the inputs of one output, W of [rows · columns · in, out]. */
function gradient(kernel: tf.Tensor4D, { wave }: ExactSigma): Float32Array {
  if (wave === undefined) {
    throw new WeirError(
      'where the stride does not divide the size, σ has no gradient here',
      "leave out 'gradSigmaSquared', or give a size that the stride divides",
    );
  }
  return taken(
    tf.tidy(() => {
      const p = tf.tensor2d(wave.patch, [2, wave.patch.length / 2]);
      const W = tf.reshape(kernel, [wave.patch.length / 2, -1]) as tf.Tensor2D;
      return tf.mul(tf.matMul(p, tf.matMul(p, W), true), 2);
    }),
  );
}

function withKernel<T>(input: VectorFields, of: (kernel: tf.Tensor4D, found: ExactSigma) => T): T {
  const grid = { height: input.count('height'), width: input.count('width'), stride: input.count('stride') };
  const kernel = upload(input.tensor('kernel', 4)) as tf.Tensor4D;
  try {
    return of(kernel, exactSigma(kernel, grid));
  } finally {
    kernel.dispose();
  }
}

/** Power iteration on a dense kernel, step by step, and where it ends (paper, algorithm 1). */
export const powerIterationTrace: VectorKind = {
  kind: 'power-iteration-trace',
  compute(input, expected) {
    const traced = ['v', 'sigmaSquared'].filter((key) => expected.has(key));
    const steps = Math.max(0, ...traced.map((key) => expected.tensor(key).shape[0]!));
    const trace = once(() => {
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
    });
    return { v: () => trace().vs, sigmaSquared: () => trace().squares, sigma: () => trace().sigma };
  },
};

/** γ/2 · Σ σ² over the layers that the regularizer takes, and its gradient (paper, equations 5 and 6). */
export const spectralValue: VectorKind = {
  kind: 'spectral-penalty',
  compute(input) {
    const made = once(() => converged(input));
    return { value: () => made().value, gradients: () => made().gradients };
  },
};

/** With the exact directions; those of power iteration are checked by power-iteration-trace. */
function converged(input: VectorFields): { value: number; gradients: Float32Array[] } {
  const layers = input.tensors('kernels').map((_, i): DenseLayer => ({ kind: 'dense', name: `${i}`, kernel: `${i}` }));
  const weights = new Map(input.tensors('kernels').map((kernel, i) => [`${i}`, upload(kernel)]));
  const model = { featureLayers: layers.slice(0, -1), readout: layers.at(-1)! } as Partial<Model> as Model;
  const regularizer = spectralRegularizer(input.text('regulariser') as SpectralKind, model, {
    gamma: input.number('gamma'),
    directions: 'exact',
  });
  try {
    regularizer.ticked = true;
    regularizer.newest = regularizer.begin(weights);
    const gradients = new Map([...weights].map(([name, kernel]) => [name, tf.zerosLike(kernel)]));
    regularizer.addGradients({ weights }, gradients);
    return { value: regularizer.value({ weights }), gradients: [...gradients.values()].map(taken) };
  } finally {
    tf.dispose([...weights.values()]);
  }
}

/**
 * The sum of the k smallest eigenvalues of F Fᵀ, [batch, batch]. Where the batch is larger than the number of features, batch − d of
 * them are 0 for every F, which the regularizer itself passes over: k counts from there.
 */
export const batchSpectralShrinkage: VectorKind = {
  kind: 'batch-spectral-shrinkage',
  compute: (input) => ({
    penalty: () => withFeatures(input, 0, (features, k) => shrinkage(features, k)),
    gradient: () =>
      withFeatures(input, new Float32Array(input.tensor('features', 2).data.length), (features, k) =>
        taken(shrinkageGradient(features, k)),
      ),
  }),
};

function withFeatures<T>(input: VectorFields, nothing: T, of: (features: tf.Tensor2D, k: number) => T): T {
  const [batch, d] = input.tensor('features', 2).shape as [number, number];
  const k = input.count('k') - Math.max(0, batch - d);
  if (k <= 0) return nothing;
  const features = upload(input.tensor('features', 2)) as tf.Tensor2D;
  try {
    return of(features, k);
  } finally {
    tf.dispose(features);
  }
}
