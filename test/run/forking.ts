import * as weir from '../../src/index.js';

/** Two networks, of which one branches off the other, that are measured, attacked and judged on their way: the parent runs of test/run/fork.test.ts. */
export default weir.pipeline({
  name: 'forking',
  config: {
    epochs: weir.changeable(weir.z.int().min(1).default(8), 'grows'),
    rate: weir.z.number().positive().default(0.05),
    cosine: weir.z.boolean().default(false),
    hidden: weir.z.int().min(1).default(8),
    noise: weir.z.number().default(0.2),
    testEvery: weir.changeable(weir.z.int().min(1).default(2), 'any'),
    ...weir.attackKeys({ attacked: 2 }),
  },
  networks: (_, seed) => weir.eachRegularizer({ regularizers: ['none', 'rep-spectral'], seed, burnIn: 3, epochs: 8 }),

  wire({ config, network, seed }) {
    const { epochs, rate, hidden, noise, testEvery } = config;
    const data = weir.xor({ noise: { perCorner: 5, std: noise } });
    const model = weir.mlp([2, hidden, 2]);
    const regularizer = weir.spectralRegularizer('rep-spectral', model, {
      gamma: network.regularizer === 'none' ? 0 : 0.01,
      from: { epoch: 3 },
    });
    const optimizer = weir.adam({ rate: config.cosine ? weir.cosine(rate, { epochs }) : rate });
    const updates$ = weir
      .loader(data, { epochs, seed, block: 7 })
      .pipe(
        weir.augment([], { seed }),
        weir.batch(8),
        weir.train(model, { loss: weir.crossEntropy(), optimizer, regularizer, seed }),
      );
    const ticks$ = updates$.pipe(weir.every({ updates: 2 }), weir.spectralTick(regularizer));
    const tests$ = updates$.pipe(weir.every({ epochs: testEvery }), weir.accuracy(model, data), weir.fanOut('tests'));
    const best$ = tests$.pipe(weir.keepBest({ by: 'loss', better: 'lower', count: 2 }));
    const attacks$ = updates$.pipe(
      weir.every({ epochs: 4, from: { epoch: 1 } }),
      weir.tangentAttack(model, data, { samples: config.attacked, iterations: 2, box: { min: -3, max: 3 }, seed }),
    );
    return { updates$, ticks$, tests$, best$, attacks$ };
  },
});
