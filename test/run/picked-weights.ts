import * as weir from '../../src/index.js';

/** Flowers by two networks, one whose optimizer keeps averages: the run whose weights test/run/picked-weights.test.ts takes. */
export default weir.pipeline({
  name: 'picked-weights',
  config: { epochs: weir.z.int().min(1).default(40), attacked: weir.z.int().min(1).default(16) },

  networks: (_, seed) => ['plain', 'averaging'].map((name) => ({ name, regularizer: 'none', seed })),

  async wire({ config, network, seed }) {
    const file = `${import.meta.dirname}/../../pipelines/examples/iris.csv`;
    const flowers = await weir.csv(file, { label: 'species', box: 'observed' });
    const parts = weir.split(flowers, { test: 0.4, seed });
    const [train, test] = weir.standardized(parts.train, parts.test);
    const model = weir.mlp([4, 16, 3]);
    const sgd = weir.sgd({ rate: 1, momentum: 0.9 });
    const optimizer = network.name === 'plain' ? sgd : weir.ema(0.97, sgd);
    const updates$ = weir
      .loader(train, { epochs: config.epochs, seed })
      .pipe(
        weir.augment([], { seed }),
        weir.batch(30),
        weir.train(model, { loss: weir.crossEntropy(), optimizer, seed }),
      );
    const tests$ = updates$.pipe(weir.every({ epochs: 1 }), weir.accuracy(model, test), weir.fanOut('tests'));
    const best$ = tests$.pipe(weir.keepBest({ by: 'loss', better: 'lower', count: 2 }));
    const attacks$ = updates$.pipe(
      weir.atEnd(),
      weir.tangentAttack(model, test, { samples: config.attacked, iterations: 4, seed }),
    );
    const all = { updates$, tests$, best$, attacks$ };
    if (network.name === 'plain') return all;
    const averages$ = updates$.pipe(
      weir.every({ epochs: 1 }),
      weir.averaged(),
      weir.named('averages', weir.accuracy(model, test)),
    );
    return { ...all, averages$ };
  },
});
