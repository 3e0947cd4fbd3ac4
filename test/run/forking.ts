import { map } from 'rxjs';
import * as weir from '../../src/index.js';

const ofRank1 = process.env.WEIR_RANK_OF_THIS === '1';

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
    patience: weir.z.int().min(0).default(0).describe('tests without a better one that end a training; 0: it goes on'),
    least: weir.z.number().min(0).default(0).describe('difference of losses that counts as better'),
    by: weir.z.string().default('loss').describe('number that snapshots are kept by'),
    shift: weir.z.number().default(0).describe('error of the test losses of rank 1'),
    ...weir.attackKeys({ attacked: 2 }),
  },
  networks: (_, seed) => weir.eachRegularizer({ regularizers: ['none', 'rep-spectral'], seed, burnIn: 3, epochs: 8 }),

  wire({ config, network, seed }) {
    const { epochs, rate, hidden, noise, testEvery, patience, least, shift } = config;
    const by = config.by as 'loss';
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
    const measured$ = updates$.pipe(weir.every({ epochs: testEvery }), weir.accuracy(model, data));
    const shifted$ = measured$.pipe(
      map((test) => ({ ...test, loss: test.loss + (ofRank1 ? shift * test.number : 0) })),
    );
    const tests$ = (shift === 0 ? measured$ : shifted$).pipe(weir.fanOut('tests'));
    const best$ = tests$.pipe(weir.keepBest({ by, better: 'lower', count: 2 }));
    const endings$ = tests$.pipe(weir.stopEarly({ by, better: 'lower', patience: Math.max(1, patience), least }));
    const attacks$ = updates$.pipe(
      weir.every({ epochs: 4, from: { epoch: 1 } }),
      weir.tangentAttack(model, data, { samples: config.attacked, iterations: 2, box: { min: -3, max: 3 }, seed }),
    );
    return { updates$, ticks$, tests$, best$, attacks$, ...(patience > 0 && { endings$ }) };
  },
});
