import * as weir from 'weir-engine';

const { z } = weir;

/**
 * A regularizer of your own, which TensorFlow.js differentiates: soft orthogonality (Bansal et al. 2018, equation 2),
 * γ · Σ ‖WᵀW − I‖² over the kernels W of the feature map, [in, out], transposed where they are wide.
 */
export const orthogonal = (model: weir.Model, strength: weir.Strength): weir.Regularizer =>
  weir.defineRegularizer({
    kind: 'orthogonal',
    ...strength,
    ofWeights(weights) {
      const { tf } = weir;
      const terms = model.featureLayers.map(({ kernel }) => {
        const W = weights.get(kernel)! as weir.tf.Tensor2D;
        const [rows, columns] = W.shape;
        const products = rows < columns ? tf.matMul(W, W, false, true) : tf.matMul(W, W, true);
        return tf.sum(tf.square(tf.sub(products, tf.eye(Math.min(rows, columns)))));
      });
      return tf.addN(terms);
    },
  });

/** Networks without a regularizer, with σ² up to the features, and with the one above; page and report call each by its name. */
export default weir.pipeline({
  name: 'own-regularizer',
  title: 'A regularizer of your own',
  config: { epochs: z.int().min(1).default(100), gamma: z.number().min(0).default(0.01) },

  networks: (_, seed) =>
    (['none', 'rep-spectral', 'orthogonal'] as const).map((regularizer) => ({ name: regularizer, regularizer, seed })),

  wire({ config: { epochs, gamma }, network, seed }) {
    const points = weir.xor({ noise: { perCorner: 20 } });
    const model = weir.mlp([2, 8, 8, 2], { initialization: weir.uniform() });
    const kind = network.regularizer;
    const regularizer = kind === 'orthogonal' ? orthogonal(model, { gamma }) : weir.regularizer(kind, model, { gamma });
    const optimizer = weir.sgd({ rate: 0.5, momentum: 0.9 });

    const updates$ = weir
      .loader(points, { epochs, seed })
      .pipe(
        weir.augment([], { seed }),
        weir.batch(20),
        weir.train(model, { loss: weir.crossEntropy(), optimizer, regularizer, seed }),
      );
    const ticks$ = updates$.pipe(weir.every({ updates: 1 }), weir.spectralTick(regularizer));
    const tests$ = updates$.pipe(weir.every({ epochs: 10 }), weir.accuracy(model, points));
    const attack = { samples: 10, iterations: 10, box: { min: -2, max: 2 }, certificate: true, seed };
    const attacks$ = updates$.pipe(weir.atEnd(), weir.tangentAttack(model, points, attack));
    return { updates$, ticks$, tests$, attacks$ };
  },
});
