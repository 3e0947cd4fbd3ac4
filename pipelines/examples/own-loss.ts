import * as weir from 'weir-engine';
import { rings } from './own-data.js';

const { z } = weir;

/**
 * A loss of your own, which TensorFlow.js differentiates: the focal loss (Lin et al. 2017, equation 4), −mean (1 − p)^γ log p with the
 * probability p of the label. Samples that are classified well count for less. γ is at least 1: below, the slope of (1 − p)^γ is infinite at p = 1.
 */
export const focal = (gamma: number) =>
  weir.loss('focal', (logits, labels) => {
    const { tf } = weir;
    const logOfLabel = tf.sum(tf.mul(tf.logSoftmax(logits), tf.oneHot(labels, logits.shape[1])), 1);
    const weight = tf.pow(tf.sub(1, tf.exp(logOfLabel)), gamma);
    return tf.neg(tf.mean(tf.mul(weight, logOfLabel)));
  });

/** Two networks on classes of unequal size, by cross-entropy and by the focal loss. */
export default weir.pipeline({
  name: 'own-loss',
  title: 'A loss of your own',
  config: { epochs: z.int().min(1).default(100), gamma: z.number().min(1).default(2) },

  networks: (_, seed) => ['cross-entropy', 'focal'].map((name) => ({ name, regularizer: name, seed })),

  wire({ config, network, seed }) {
    const points = rings(400, 0.22); // one point in twenty is of the disk
    const model = weir.mlp([2, 16, 2]);
    const loss = network.name === 'focal' ? focal(config.gamma) : weir.crossEntropy();

    const updates$ = weir
      .loader(points, { epochs: config.epochs, seed })
      .pipe(
        weir.augment([], { seed }),
        weir.batch(50),
        weir.train(model, { loss, optimizer: weir.adam({ rate: 0.02 }), seed }),
      );
    const tests$ = updates$.pipe(weir.every({ epochs: 10 }), weir.accuracy(model, points, { loss }));
    return { updates$, tests$ };
  },
});
