import * as weir from '../../src/index.js';

const rates = [{ weights: ['readout'], rate: weir.warmUp(10, 0.01) }];
const clippedMuon = weir.clipByNorm(1, weir.muon({ rate: 0.01, others: weir.adamw({ rate: 0.01, rates }) }));

const optimizers: Record<string, weir.Optimizer> = {
  nesterov: weir.sgd({ rate: 0.05, momentum: 0.9, nesterov: true, rates }),
  adam: weir.ema(0.9, weir.adam({ rate: 0.01, rates })),
  lars: weir.lars({ rate: 0.5, decay: 0.01, rates }),
  muon: weir.ema(0.9, clippedMuon),
  adversarial: weir.sgd({ rate: 0.05, momentum: 0.9 }),
};

const adversary = weir.projectedGradient({ epsilon: 0.3, steps: 3, box: { min: -3, max: 3 } });

/** A network by each optimizer, one of them with an adversary, and one that branches off each and is trained alike: the runs that test/run/optimizers.test.ts kills. */
export default weir.pipeline({
  name: 'optimizers',
  config: { epochs: weir.z.int().min(1).default(12) },

  networks: (_, seed) =>
    Object.keys(optimizers).flatMap((name) => [
      { name, regularizer: 'none', seed, by: name },
      { name: `${name}-branch`, regularizer: 'branch', seed, by: name, branch: { of: name, epoch: 5 } },
    ]),

  wire({ config: { epochs }, network, seed }) {
    const points = weir.xor({ noise: { perCorner: 10 } });
    const model = weir.mlp([2, 8, 2]);
    const updates$ = weir
      .loader(points, { epochs, seed })
      .pipe(
        weir.augment([], { seed }),
        weir.batch(6),
        weir.train(model, {
          loss: weir.crossEntropy({ smoothing: 0.1 }),
          optimizer: optimizers[network.by]!,
          adversary: network.by === 'adversarial' ? adversary : undefined,
          accumulate: 3,
          seed,
        }),
      );
    const tests$ = updates$.pipe(weir.every({ epochs: 3 }), weir.accuracy(model, points));
    return { updates$, tests$ };
  },
});
