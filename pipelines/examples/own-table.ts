import * as weir from 'weir-engine';

const { z } = weir;

/**
 * Data of your own from a CSV file: 150 flowers, four lengths in centimeters each.
 *
 * They are split by seed and standardized by the training part. The training ends when the validation part is no longer classified better,
 * and the snapshots of its best updates are kept. The attack stays in the box of lengths that were observed; its distances are in
 * deviations.
 */
export default weir.pipeline({
  name: 'own-table',
  title: 'Data of your own from a table, and early stopping',
  config: {
    file: z.string().default(`${import.meta.dirname}/iris.csv`),
    epochs: z.int().min(1).default(500),
    patience: z.int().min(1).default(20),
  },

  async wire({ config, seed }) {
    const flowers = await weir.csv(config.file, { label: 'species', box: 'observed' });
    const parts = weir.split(flowers, { test: 0.2, validation: 0.2, seed });
    const [train, validation, test] = weir.standardized(parts.train, parts.validation, parts.test);
    const model = weir.mlp([4, 16, 3]);

    const updates$ = weir
      .loader(train, { epochs: config.epochs, seed })
      .pipe(
        weir.augment([], { seed }),
        weir.batch(30),
        weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: 1, momentum: 0.9 }), seed }),
      );
    const validations$ = updates$.pipe(
      weir.every({ epochs: 1 }),
      weir.accuracy(model, validation),
      weir.fanOut('validations'), // measured once, for three listeners
    );
    const best$ = validations$.pipe(weir.keepBest({ by: 'loss', better: 'lower', count: 2 }));
    const endings$ = validations$.pipe(weir.stopEarly({ by: 'loss', better: 'lower', patience: config.patience }));
    const tests$ = updates$.pipe(weir.atEnd(), weir.named('test', weir.accuracy(model, test)));
    const attacks$ = updates$.pipe(
      weir.atEnd(),
      weir.tangentAttack(model, test, { samples: 10, iterations: 10, seed }),
    );
    return { updates$, validations$, best$, endings$, tests$, attacks$ };
  },
});
