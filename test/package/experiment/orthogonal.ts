import * as weir from 'weir-engine';

/** A regularizer of one's own: γ/4 · Σ ‖WᵀW − 1‖² over the dense kernels of the feature map. Its gradient is γ · W(WᵀW − 1). */
export function orthogonal(model: weir.Model, gamma: number): weir.Regularizer {
  const { tf } = weir;
  const kernels = model.featureLayers.filter(({ kind }) => kind === 'dense').map(({ kernel }) => kernel);
  const of = (weights: weir.Weights, name: string) => weights.get(name) as weir.tf.Tensor2D;
  const excess = (w: weir.tf.Tensor2D) => tf.sub(tf.matMul(w, w, true), tf.eye(w.shape[1])) as weir.tf.Tensor2D;
  return {
    kind: 'orthogonal',
    active: () => true,
    value: ({ weights }) =>
      tf.tidy(() => {
        const terms = kernels.map((name) => tf.sum(tf.square(excess(of(weights, name)))));
        return (gamma / 4) * tf.addN(terms).dataSync()[0]!;
      }),
    addGradients({ weights }, gradients) {
      for (const name of kernels) {
        const w = of(weights, name);
        const added = tf.tidy(() => tf.mul(tf.matMul(w, excess(w)), gamma));
        weir.addGradient(gradients, name, added);
      }
    },
  };
}
