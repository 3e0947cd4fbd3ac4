import * as weir from 'weir-engine';

const { z } = weir;

interface LionOptions {
  readonly rate: number | weir.Schedule;
  readonly beta1?: number;
  readonly beta2?: number;
  /** Weight decay, decoupled. */
  readonly decay?: number;
}

/**
 * An optimizer of your own: a rule for one weight. Lion (Chen et al. 2023, algorithm 2) moves every weight by the sign of an average of
 * its gradients: c = β₁m + (1 − β₁)g, w ← w − rate · (sign c + decay · w), m ← β₂m + (1 − β₂)g.
 */
export function lion({ rate, beta1 = 0.9, beta2 = 0.99, decay = 0 }: LionOptions): weir.Optimizer {
  const { tf } = weir;
  const between = (m: weir.tf.Tensor, g: weir.tf.Tensor, beta: number) => tf.add(tf.mul(m, beta), tf.mul(g, 1 - beta));
  return weir.optimizer({
    name: 'lion',
    rate,
    state: ['momentum'],
    step({ weight: w, gradient: g, state: { momentum: m }, rate }) {
      const direction = tf.add(tf.sign(between(m, g, beta1)), tf.mul(w, decay));
      return { weight: tf.sub(w, tf.mul(direction, rate)), momentum: between(m, g, beta2) };
    },
  });
}

/** Composed as values: a warm-up, clipped gradients, and moving averages of the weights, which are measured beside the weights. */
export default weir.pipeline({
  name: 'own-optimizer',
  title: 'An optimizer of your own',
  config: { epochs: z.int().min(1).default(200), rate: z.number().positive().default(0.02) },

  wire({ config, seed }) {
    const points = weir.xor();
    const model = weir.mlp([2, 8, 2]);
    const optimizer = weir.ema(0.95, weir.clipByNorm(1, lion({ rate: weir.warmUp(20, config.rate) })));

    const updates$ = weir
      .loader(points, { epochs: config.epochs, seed })
      .pipe(
        weir.augment([], { seed }),
        weir.batch(points.size),
        weir.train(model, { loss: weir.crossEntropy(), optimizer, seed }),
      );
    const tests$ = updates$.pipe(weir.every({ epochs: 10 }), weir.accuracy(model, points));
    const averages$ = updates$.pipe(
      weir.every({ epochs: 10 }),
      weir.averaged(),
      weir.named('accuracy of averages', weir.accuracy(model, points)),
    );
    return { updates$, tests$, averages$ };
  },
});
