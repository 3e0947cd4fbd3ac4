import * as weir from 'weir-engine';
import { transformer } from './networks/transformer.js';

const { z } = weir;

/** A transformer of your own, `networks/transformer.ts`, reads digits row by row, without a regularizer and with σ² of all its matrices. */
export default weir.pipeline({
  name: 'own-transformer',
  title: 'A small transformer on digits',
  task: { sampleShape: [28, 28], classes: [...'0123456789'] },
  config: {
    epochs: z.int().min(1).default(4),
    gamma: z.number().min(0).default(0.01),
    attacked: z.int().min(1).default(4),
  },
  networks: (_, seed) =>
    (['none', 'rep-spectral'] as const).map((regularizer) => ({ name: regularizer, regularizer, seed })),

  wire({ config, network, seed }) {
    const { train, test } = weir.mnist({ data: 'embedded', seed });
    const model = transformer(28, 28, 10);
    const regularizer = weir.regularizer(network.regularizer, model, { gamma: config.gamma, seed });
    const optimizer = weir.clipByNorm(1, weir.adamw({ rate: weir.warmUp(10, 0.002), decay: 0.01 }));

    const updates$ = weir
      .loader(train, { epochs: config.epochs, seed, block: 128 })
      .pipe(
        weir.augment([weir.unitScale()], { seed }),
        weir.batch(128),
        weir.train(model, { loss: weir.crossEntropy(), optimizer, regularizer, seed }),
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
