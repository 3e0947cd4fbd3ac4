import * as weir from 'weir-engine';

const { z } = weir;
const { conv, relu, maxPool, dense } = weir.layers;

/**
 * A network of your own, out of layers: gradients are TensorFlow.js's. σ of every layer, the regularizer, the attack and the
 * certificate are those of the networks with gradients by hand.
 */
export const cnn = (filters: number): weir.Model =>
  weir.model({
    name: 'small CNN',
    inputShape: [28, 28, 1],
    layers: [conv(filters), relu(), maxPool(), conv(2 * filters), relu(), maxPool(), dense(64), relu(), dense(10)],
  });

/** Real digits, without a regularizer and with σ² of all layers up to the features. */
export default weir.pipeline({
  name: 'own-network',
  title: 'A convolutional network of your own on digits',
  task: { sampleShape: [28, 28], classes: [...'0123456789'] },
  config: {
    epochs: z.int().min(1).default(4),
    filters: z.int().min(1).default(8),
    gamma: z.number().min(0).default(0.01),
    attacked: z.int().min(1).default(10),
  },
  networks: (_, seed) =>
    (['none', 'rep-spectral'] as const).map((regularizer) => ({ name: regularizer, regularizer, seed })),

  wire({ config, network, seed }) {
    const { train, test } = weir.mnist({ data: 'embedded', seed });
    const model = cnn(config.filters);
    const regularizer = weir.regularizer(network.regularizer, model, { gamma: config.gamma, seed });

    const updates$ = weir
      .loader(train, { epochs: config.epochs, seed, block: 128 })
      .pipe(
        weir.augment([weir.unitScale()], { seed }),
        weir.batch(128),
        weir.train(model, {
          loss: weir.crossEntropy(),
          optimizer: weir.sgd({ rate: 0.1, momentum: 0.9 }),
          regularizer,
          seed,
        }),
      );
    const ticks$ = updates$.pipe(weir.every({ updates: 10 }), weir.spectralTick(regularizer));
    const tests$ = updates$.pipe(weir.every({ epochs: 1 }), weir.accuracy(model, test));
    const sigmas$ = updates$.pipe(weir.every({ epochs: 1 }), weir.layerNorms(model));
    const attacks$ = updates$.pipe(
      weir.atEnd(),
      weir.tangentAttack(model, test, { samples: config.attacked, iterations: 10, seed }),
    );
    return { updates$, ticks$, tests$, sigmas$, attacks$ };
  },
});
