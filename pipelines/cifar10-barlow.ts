import * as weir from '../src/index.js';

const { z } = weir;

/**
 * CIFAR-10, Barlow Twins on ResNet-18: pretraining without labels under the regularizer γ/2 · Σ σ² up to feature space, or without;
 * then a logistic readout on the frozen features, and the Tangent Attack on both together (paper, 4.4 and E.3, figure 7).
 *
 * `tests$` is a readout fitted to the training images every few epochs; `attacks$` is on the readout that is fitted at the end.
 *
 * What the paper's protocol and the authors' code do differently (`--set protocol=authors` takes the code's, where marked):
 *
 * | | paper (default) | authors |
 * |---|---|---|
 * | images that the last readout is fitted to * | the training images as they are | random crops and flips of them |
 * | normalized for readout and attack with * | the constants of the pretraining, ImageNet's | CIFAR-10's |
 * | directions of the convolutions * | power iteration every 24 updates: `directions=power`. Usual here are Krylov spaces, of the same products and nearer to exact | exact, at every update that is regularized |
 * | regularizer acts | at every update after the burn-in | at updates 0 and 24 of an epoch, and in a step of its own after each |
 * | weight of the regularizer | γ/2, γ = 0.01 | λ on Σ σ², so γ = 2λ: 0.02, 0.002 or 0.2 |
 * | start of the attack * | noise until found, and the nearest images predicted otherwise | first noisy point that is misclassified, 5000 tries |
 * | box of the attack * | what pixels from 0 to 1 become, by channel | [−3, 3], wider than any pixel can go |
 * | logistic regression | scikit-learn's default, 100 iterations, which often end before it has converged; `readoutFit=converged` goes on | the same |
 * | weight decay | 1e-4 | 0 or 1e-4 |
 *
 * From the code, for the paper does not say: the projector (one linear layer without bias, 512 to 256), λ = 0.005, batches of 1024
 * whose last one is left out, batch statistics of each view by itself, and the views: see `barlowRecipes`.
 *
 * Distances are in units of the normalized input, about five times those of pixels in [0, 1].
 */
export default weir.pipeline({
  name: 'cifar10-barlow',
  title: 'CIFAR-10 by Barlow Twins with spectral regularization up to feature space',
  task: weir.cifar10Task,

  config: {
    ...weir.cifar10Keys(),
    projections: z.int().min(1).default(256).describe('width of the projections that are compared'),
    lambda: z.number().min(0).default(0.005).describe('λ of Barlow Twins, the weight of what is off the diagonal'),
    ...weir.convolutionKeys(),
    ...weir.regularizerKeys(['none', 'rep-spectral'], {
      regularizers: ['none', 'rep-spectral'],
      ...{ gamma: 0.01, burnIn: 900, tickEvery: 24 },
    }),
    ...weir.trainingKeys({ epochs: 1000, batchSize: 1024, rate: 0.01, decay: 1e-4, partial: 'drop' }),
    ...weir.readoutKeys(),
    ...weir.attackKeys({ attacked: 1000 }),
    workers: z.int().min(1).default(2).describe('threads that make views'),
    testEvery: z.int().min(1).default(50).describe('epochs from one readout to the next'),
    readoutImages: z.int().min(10).default(50_000).describe('training images that those readouts are fitted to'),
  },
  profiles: {
    quick: {
      ...{
        seeds: 1,
        images: 2000,
        testImages: 500,
        width: 16,
        projections: 64,
        epochs: 10,
        batchSize: 128,
        rate: 0.05,
      },
      ...{ burnIn: 7, tickEvery: 5, testEvery: 5, attacked: 4, iterations: 3 },
    },
  },

  networks: (config, seed) => weir.eachRegularizer({ ...config, seed }),

  wire({ config, network, seed }) {
    const { train, test } = weir.cifar10({ data: config.data, train: config.images, test: config.testImages });
    const { depth, width, padding, precision } = config;
    const authors = config.protocol === 'authors';
    const backbone = weir.resnet({ depth, width, padding, precision, stem: 'cifar', inputSize: [32, 32], classes: 10 });
    const model = weir.projected(backbone, { outputs: config.projections, bias: false });
    const regularizer = weir.regularizer(network.regularizer, model, {
      gamma: config.gamma,
      from: { epoch: config.burnIn },
      directions: weir.directionsOf(config),
      seed,
    });

    const batches$ = weir
      .loader(train, { epochs: config.epochs, seed, block: config.batchSize })
      .pipe(weir.views(weir.barlowRecipes(), { seed, threads: config.workers }), weir.batch(config.batchSize, config));
    const updates$ = batches$.pipe(
      weir.train(model, { loss: weir.barlowTwins(config), optimizer: weir.sgd(config), regularizer, seed }),
    );
    const ticks$ = updates$.pipe(
      weir.every({ updates: config.tickEvery, from: { epoch: config.burnIn } }),
      weir.spectralTick(regularizer),
    );
    const tests$ = updates$.pipe(
      weir.every({ epochs: config.testEvery }),
      weir.onlineReadout(backbone, train, test, {
        ...{ images: config.readoutImages, fit: config.readoutFit, normalize: weir.imagenetStatistics },
      }),
    );
    const sigmas$ = updates$.pipe(weir.every({ epochs: config.testEvery }), weir.layerNorms(model));

    const crops = [weir.randomCrop({ padding: 4 }), weir.horizontalFlip()];
    const fitted = authors ? weir.rendered(train, crops, { seed }) : train;
    const normalize = authors ? weir.cifar10Statistics : weir.imagenetStatistics;
    const classifiers$ = updates$.pipe(
      weir.atEnd(),
      weir.readout(backbone, fitted, test, { fit: config.readoutFit, normalize }),
    );
    const attacks$ = classifiers$.pipe(
      weir.tangentAttack(backbone, test, {
        ...config,
        ...{ samples: config.attacked, normalize, seed },
      }),
    );
    return { updates$, ticks$, tests$, sigmas$, classifiers$, attacks$ };
  },
});
