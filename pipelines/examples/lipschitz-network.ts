import * as weir from 'weir-engine';

const { z } = weir;
const { dense, lipschitzDense, maxMin } = weir.layers;

/** Φ is 1-Lipschitz in ℓ2 whatever its weights are, so Δx ≥ margin / ‖w_c − w_k‖ of the readout: Lemma 1 with L = 1. */
export const contraction = (hidden: number): weir.Model =>
  weir.model({
    name: '1-Lipschitz MLP',
    inputShape: [28, 28],
    layers: [lipschitzDense(hidden), maxMin(), lipschitzDense(hidden), maxMin(), dense(10)],
  });

/** Digits by a network of 1-Lipschitz layers, with both sides of Δx: by DDN from above, and proved by `certificate` from below. */
export default weir.pipeline({
  name: 'lipschitz-network',
  title: 'A network of 1-Lipschitz layers on digits',
  task: { sampleShape: [28, 28], classes: [...'0123456789'] },
  config: {
    data: weir.folder('embedded').default('embedded').describe("MNIST's four files, or 'embedded'"),
    hidden: z.int().multipleOf(2).min(2).default(128),
    ...weir.trainingKeys({ epochs: 4, batchSize: 128, rate: 0.2, decay: 1e-4 }),
    attacked: z.int().min(1).default(20),
  },

  wire({ config, seed }) {
    const { train, test } = weir.mnist({ data: config.data, seed });
    const model = contraction(config.hidden);
    const samples = { samples: config.attacked, choose: 'all', seed } as const;

    const updates$ = weir
      .loader(train, { epochs: config.epochs, seed, block: config.batchSize })
      .pipe(
        weir.augment([weir.unitScale()], { seed }),
        weir.batch(config.batchSize, config),
        weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd(config), seed }),
      );
    const tests$ = updates$.pipe(weir.every({ epochs: 1 }), weir.accuracy(model, test));
    const bounds$ = updates$.pipe(weir.atEnd(), weir.ddn(model, test, samples));
    const certificates$ = updates$.pipe(weir.atEnd(), weir.certificate(model, test, { ...samples, local: [] }));
    return { updates$, tests$, bounds$, certificates$ };
  },
});
