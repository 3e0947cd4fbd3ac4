import * as weir from 'weir-engine';

/** A regularizer of one's own: γ · Σ ‖WᵀW − 1‖² over the dense kernels of the feature map. */
export const orthogonal = (model: weir.Model, gamma: number): weir.Regularizer =>
  weir.defineRegularizer({
    kind: 'orthogonal',
    gamma,
    ofWeights(weights) {
      const { tf } = weir;
      const dense = model.featureLayers.filter(({ kind }) => kind === 'dense');
      const terms = dense.map(({ kernel }) => {
        const w = weights.get(kernel)!;
        return tf.sum(tf.square(tf.sub(tf.matMul(w, w, true), tf.eye(w.shape[1]!))));
      });
      return tf.addN(terms);
    },
  });
