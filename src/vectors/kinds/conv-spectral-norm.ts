import { WeirError } from '../../flow/errors.js';
import { type ExactSigma, exactSigma } from '../../learn/spectral/spectral-exact.js';
import { tf } from '../../tensorflow/device-tf.js';
import type { Fields } from '../fields.js';
import { taken, upload, type VectorKind } from './kind.js';

/** σ of a strided, circularly padded convolution over its input, and ∂σ²/∂W (paper, appendix B and code block 1). */
export const convSpectralNorm: VectorKind = {
  kind: 'conv-spectral-norm',
  compute: (input) => ({
    sigma: () => withKernel(input, (_, { sigma }) => sigma),
    gradSigmaSquared: () => withKernel(input, gradient),
  }),
};

/** 2 pᵀ(pW) for the wave p that is stretched most, as one output's kernel W of [rows · columns · in, out] meets it. */
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

function withKernel<T>(input: Fields, of: (kernel: tf.Tensor4D, found: ExactSigma) => T): T {
  const grid = { height: input.count('height'), width: input.count('width'), stride: input.count('stride') };
  const kernel = upload(input.tensor('kernel', 4)) as tf.Tensor4D;
  try {
    return of(kernel, exactSigma(kernel, grid));
  } finally {
    kernel.dispose();
  }
}
