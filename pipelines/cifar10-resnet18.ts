import * as weir from 'weir-engine';
import * as paper from './shared/paper.js';
import { quickCifar10 } from './shared/quick.js';

const { z } = weir;

/**
 * CIFAR-10, ResNet-18: the regularizer γ/2 · Σ σ² over its convolutions, over all layers, on the readout only, or none
 * (paper, 4.3 and E.2).
 *
 * Differences between the paper's protocol and the authors' code (`--set protocol=authors` takes the code's, where marked):
 *
 * | | paper (default) | authors |
 * |---|---|---|
 * | directions of the convolutions * | power iteration every 24 updates: `directions=power`. Usual here are Krylov spaces, of the same products and nearer to exact | exact, at every update that is regularized |
 * | regularizer acts | at every update after the burn-in | at updates 0, 24, 48 of an epoch, and in a step of its own after each |
 * | start of the attack * | noise until found, and the nearest images predicted otherwise | first noisy point that is misclassified, 5000 tries |
 * | box of the attack * | the range of pixels from 0 to 1 after normalization, by channel | [−3, 3], wider than any pixel can go |
 * | weight of the regularizer | γ/2, γ = 0.01 | λ on Σ σ², so γ = 2λ: 0.01 or 0.02 |
 *
 * Not in the paper: 'adversarial-training' (Madry et al. 2018) among the regularizers, in l2. Its ε of 2.5 is 0.5 in units of pixels from 0 to 1.
 *
 * Distances are in units of the normalized input, about five times those of pixels in [0, 1], which the report has beside them.
 */
export default weir.pipeline({
  name: 'cifar10-resnet18',
  title: 'CIFAR-10 by ResNet-18 with spectral regularization up to feature space',
  task: weir.cifar10Task,
  figures: paper.resnet18,

  config: {
    ...weir.cifar10Keys(),
    ...weir.convolutionKeys(),
    ...weir.regularizerKeys([...weir.regularizerKinds, 'adversarial-training'], {
      regularizers: weir.spectralKinds,
      gamma: 0.01,
      burnIn: 160,
      tickEvery: 24,
    }),
    ...weir.adversaryKeys({ epsilon: 2.5 }),
    ...weir.trainingKeys({ epochs: 200, batchSize: 1024, rate: 0.01, decay: 1e-4 }),
    ...weir.attackKeys({ attacked: 1000 }),
    ...weir.whiteBoxKeys({ whitebox: 0 }),
    ...weir.blackBoxKeys({ blackbox: [] }),
    ...weir.evaluationKeys(),
    workers: z.int().min(1).default(2).describe('threads that crop and flip'),
    testEvery: weir.changeable(z.int().min(1).default(1).describe('epochs from one test to the next'), 'any'),
  },
  profiles: { quick: { ...quickCifar10, seeds: 1, epochs: 8, batchSize: 64, burnIn: 5, tickEvery: 8 } },

  networks: (config, seed) => weir.eachRegularizer({ ...config, seed }),

  wire({ config, network, seed }) {
    const images = weir.cifar10({ data: config.data, train: config.images, test: config.testImages });
    const { train, test } = weir.evaluationOf(images, config);
    const { depth, width, padding, precision } = config;
    const model = weir.resnet({ depth, width, padding, precision, stem: 'cifar', inputSize: [32, 32], classes: 10 });
    const adversarial = network.regularizer === 'adversarial-training';
    const regularizer = weir.regularizer(adversarial ? 'none' : network.regularizer, model, {
      gamma: weir.gammaOf(config, network.regularizer),
      from: { epoch: config.burnIn },
      directions: weir.directionsOf(config),
      seed,
    });
    const adversary = adversarial
      ? weir.projectedGradient({
          epsilon: config.epsilon,
          steps: config.adversarySteps,
          normalize: weir.cifar10Statistics,
        })
      : undefined;
    const pixels = [weir.unitScale(), weir.normalize(weir.cifar10Statistics)];

    const batches$ = weir
      .loader(train, { epochs: config.epochs, seed, block: config.batchSize })
      .pipe(
        weir.augment([weir.randomCrop({ padding: 4 }), weir.horizontalFlip(), ...pixels], {
          seed,
          threads: config.workers,
        }),
        weir.batch(config.batchSize, config),
      );
    const updates$ = batches$.pipe(
      weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd(config), regularizer, adversary, seed }),
    );
    const ticks$ = updates$.pipe(
      weir.every({ updates: config.tickEvery, from: { epoch: config.burnIn } }),
      weir.spectralTick(regularizer),
    );
    const tests$ = updates$.pipe(
      weir.every({ epochs: config.testEvery }),
      weir.accuracy(model, test, { normalize: weir.cifar10Statistics }),
    );
    const sigmas$ = updates$.pipe(weir.every({ epochs: config.testEvery }), weir.layerNorms(model));
    const attacks$ = updates$.pipe(
      weir.atEnd(),
      weir.tangentAttack(model, test, {
        ...config,
        samples: config.attacked,
        normalize: weir.cifar10Statistics,
        seed,
        certificate: { points: 8, steps: 8 },
      }),
    );
    const blackBox = weir.blackBoxAttacks(updates$.pipe(weir.atEnd()), model, test, {
      ...config,
      certificate: 'crown',
      normalize: weir.cifar10Statistics,
      seed,
    });
    const whiteBox = weir.whiteBoxAttacks(updates$.pipe(weir.atEnd()), model, test, {
      ...config,
      normalize: weir.cifar10Statistics,
      seed,
    });
    return { updates$, ticks$, tests$, sigmas$, attacks$, ...blackBox, ...whiteBox };
  },
});
