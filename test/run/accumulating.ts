import * as weir from '../../src/index.js';

/** A small training whose updates take three batches each, of a head that learns faster: the run that test/run/accumulate.test.ts kills. */
export default weir.pipeline({
  name: 'accumulating',
  config: {
    epochs: weir.z.int().min(1).default(120),
    accumulate: weir.z.int().min(1).default(3),
    batchSize: weir.z.int().min(1).default(6),
  },

  wire({ config: { epochs, accumulate, batchSize }, seed }) {
    const train = weir.xor({ noise: { perCorner: 10 } });
    const model = weir.mlp([2, 8, 2]);
    const regularizer = weir.spectralRegularizer('rep-spectral', model, { gamma: 0.01, from: { epoch: 10 } });
    const updates$ = weir
      .loader(train, { epochs, seed, block: 7 })
      .pipe(
        weir.augment([], { seed }),
        weir.batch(batchSize),
        weir.train(model, {
          loss: weir.crossEntropy({ smoothing: 0.1 }),
          optimizer: weir.sgd({
            rate: 0.05,
            momentum: 0.9,
            rates: [{ weights: [model.readout.name], rate: weir.cosine(0.1, { epochs }) }],
          }),
          regularizer,
          accumulate,
          seed,
        }),
      );
    const ticks$ = updates$.pipe(weir.every({ updates: 1 }), weir.spectralTick(regularizer));
    const tests$ = updates$.pipe(weir.every({ epochs: 10 }), weir.accuracy(model, train));
    return { updates$, ticks$, tests$ };
  },
});
