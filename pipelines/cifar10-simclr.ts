import * as weir from '../src/index.js';

const { z } = weir;

/**
 * CIFAR-10, SimCLR on ResNet-18: pretraining without labels under the regularizer γ/2 · Σ σ² up to feature space, or without; then a
 * logistic readout on the frozen features, and the Tangent Attack on both together. As `cifar10-barlow`, with another loss.
 *
 * `tests$` is a readout fitted to the training images every few epochs; `attacks$` is on the readout that is fitted at the end.
 *
 * The paper shows Barlow Twins alone; this is in the authors' code, from which all values are that the paper does not have for Barlow
 * Twins: batches of 512 whose last one is left out, both views in one pass, decay 5e-4, temperature 0.07, a head of 512-512-10 with a
 * rectifier, views and images in [0, 1], not normalized. Where the paper's protocol for Barlow Twins and that code differ
 * (`--set protocol=authors` takes the code's, where marked):
 *
 * | | paper's protocol (default) | authors |
 * |---|---|---|
 * | directions of the convolutions * | power iteration every 24 updates: `directions=power`. Usual here are Krylov spaces, of the same products and nearer to exact | exact, at every update that is regularized |
 * | regularizer acts | at every update after the burn-in | at every 24th (or 10th) update of an epoch, and in a step of its own after each |
 * | weight of the regularizer | γ/2, γ = 0.01 | λ on Σ σ², so γ = 2λ: 0.02 or 0.002 |
 * | start of the attack * | noise until found, and the nearest images predicted otherwise | first noisy point that is misclassified, 5000 tries |
 * | logistic regression | scikit-learn's default, 100 iterations, which often end before it has converged; `readoutFit=converged` goes on | the same |
 *
 * `epochAccuracy` is the part of the samples whose other view is the nearest of all in the batch.
 */
export default weir.pipeline({
  name: 'cifar10-simclr',
  title: 'CIFAR-10 by SimCLR with spectral regularization up to feature space',
  task: weir.cifar10Task,

  config: {
    ...weir.cifar10Keys(),
    hidden: z.int().min(1).default(512).describe('hidden units of the projection head'),
    projections: z.int().min(1).default(10).describe('width of the projections that are compared'),
    temperature: z.number().positive().default(0.07).describe('that similarities are divided by'),
    ...weir.convolutionKeys(),
    ...weir.regularizerKeys(['none', 'rep-spectral'], {
      regularizers: ['none', 'rep-spectral'],
      ...{ gamma: 0.01, burnIn: 900, tickEvery: 24 },
    }),
    ...weir.trainingKeys({ epochs: 1000, batchSize: 512, rate: 0.01, decay: 5e-4, partial: 'drop' }),
    ...weir.readoutKeys(),
    ...weir.attackKeys({ attacked: 1000 }),
    workers: z.int().min(1).default(2).describe('threads that make views'),
    testEvery: z.int().min(1).default(50).describe('epochs from one readout to the next'),
    readoutImages: z.int().min(10).default(50_000).describe('training images that those readouts are fitted to'),
  },
  profiles: {
    quick: {
      ...{ seeds: 1, images: 2000, testImages: 500, width: 16, hidden: 64, epochs: 10, batchSize: 128, rate: 0.05 },
      ...{ burnIn: 7, tickEvery: 5, testEvery: 5, attacked: 4, iterations: 3 },
    },
  },

  networks: (config, seed) => weir.eachRegularizer({ ...config, seed }),

  wire({ config, network, seed }) {
    const { train, test } = weir.cifar10({ data: config.data, train: config.images, test: config.testImages });
    const { depth, width, padding, precision } = config;
    const backbone = weir.resnet({ depth, width, padding, precision, stem: 'cifar', inputSize: [32, 32], classes: 10 });
    const model = weir.projected(backbone, { hidden: [config.hidden], outputs: config.projections });
    const regularizer = weir.regularizer(network.regularizer, model, {
      gamma: config.gamma,
      from: { epoch: config.burnIn },
      directions: weir.directionsOf(config),
      seed,
    });

    const batches$ = weir
      .loader(train, { epochs: config.epochs, seed, block: config.batchSize })
      .pipe(weir.views(weir.simclrRecipes(), { seed, threads: config.workers }), weir.batch(config.batchSize, config));
    const updates$ = batches$.pipe(
      weir.train(model, { loss: weir.ntXent(config), optimizer: weir.sgd(config), regularizer, seed }),
    );
    const ticks$ = updates$.pipe(
      weir.every({ updates: config.tickEvery, from: { epoch: config.burnIn } }),
      weir.spectralTick(regularizer),
    );
    const tests$ = updates$.pipe(
      weir.every({ epochs: config.testEvery }),
      weir.onlineReadout(backbone, train, test, { images: config.readoutImages, fit: config.readoutFit }),
    );
    const sigmas$ = updates$.pipe(weir.every({ epochs: config.testEvery }), weir.layerNorms(model));
    const classifiers$ = updates$.pipe(weir.atEnd(), weir.readout(backbone, train, test, { fit: config.readoutFit }));
    const attacks$ = classifiers$.pipe(
      weir.tangentAttack(backbone, test, { ...config, samples: config.attacked, seed }),
    );
    return { updates$, ticks$, tests$, sigmas$, classifiers$, attacks$ };
  },
});
