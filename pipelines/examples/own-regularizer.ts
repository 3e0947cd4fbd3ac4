import * as weir from 'weir-engine';

const { z } = weir;

/**
 * A regularizer of your own: γ/4 · Σ ‖WWᵀ − 1‖² over the kernels [in, out] of the feature map, which pulls their rows towards an
 * orthonormal system. Its gradient by W is γ · (WWᵀ − 1)W. Weights are read only; `addGradient` takes over the tensor that it is given.
 */
function orthogonal(model: weir.Model, gamma: number): weir.Regularizer {
  const { tf } = weir;
  const kernels = model.featureLayers.filter(({ kind }) => kind === 'dense').map(({ kernel }) => kernel);
  const excess = (w: weir.tf.Tensor) => tf.sub(tf.matMul(w, w, false, true), tf.eye(w.shape[0]));
  return {
    kind: 'orthogonal',
    active: () => gamma > 0,
    value: ({ weights }) =>
      tf.tidy(() => {
        const terms = kernels.map((name) => tf.sum(tf.square(excess(weights.get(name)!))));
        return (gamma / 4) * tf.addN(terms).dataSync()[0]!;
      }),
    addGradients({ weights }, gradients) {
      for (const name of kernels) {
        const w = weights.get(name)!;
        const added = tf.tidy(() => tf.mul(tf.matMul(excess(w), w), gamma));
        weir.addGradient(gradients, name, added);
      }
    },
  };
}

/** Two networks, without the regularizer and with it, and σ of their layers. */
export default weir.pipeline({
  name: 'own-regularizer',
  title: 'A regularizer of your own',
  config: { epochs: z.int().min(1).default(100), gamma: z.number().min(0).default(0.1) },

  networks: ({ gamma }, seed) => [
    { name: 'none', regularizer: 'none', seed, gamma: 0 },
    { name: 'orthogonal', regularizer: 'orthogonal', seed, gamma },
  ],

  wire({ config, network, seed }) {
    const points = weir.xor({ noise: { perCorner: 50 } });
    const model = weir.mlp([2, 8, 2]);
    const optimizer = weir.sgd({ rate: 0.5, momentum: 0.9 });
    const regularizer = orthogonal(model, network.gamma);

    const updates$ = weir
      .loader(points, { epochs: config.epochs, seed })
      .pipe(
        weir.augment([], { seed }),
        weir.batch(20),
        weir.train(model, { loss: weir.crossEntropy(), optimizer, regularizer, seed }),
      );
    const tests$ = updates$.pipe(weir.every({ epochs: 20 }), weir.accuracy(model, points));
    const sigmas$ = updates$.pipe(weir.every({ epochs: 20 }), weir.layerNorms(model));
    return { updates$, tests$, sigmas$ };
  },
});
