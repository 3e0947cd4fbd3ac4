import { shrinkage, shrinkageGradient } from '../../learn/regularizer/batch-spectral-shrinkage.js';
import { tf } from '../../tensorflow/device-tf.js';
import type { Fields } from '../fields.js';
import { taken, upload, type VectorKind } from './kind.js';

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

function withFeatures<T>(input: Fields, nothing: T, of: (features: tf.Tensor2D, k: number) => T): T {
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
