import * as weir from 'weir-engine';
import * as paper from './shared/paper.js';

const { z } = weir;

/**
 * MNIST, one hidden layer: the regularizer γ/2 · Σ σ² up to feature space, over all layers, on the readout only, or none
 * (paper, 4.2 and E.1).
 *
 * Differences between the paper's protocol and the authors' code (`--set protocol=authors` takes the code's):
 *
 * | | paper (default) | authors |
 * |---|---|---|
 * | start of the attack | noise until found, and the nearest images predicted otherwise | first noisy point that is misclassified, 5000 tries |
 * | 'll-spectral' | both layers | the readout only: here that is `readout-spectral`, whatever the protocol |
 * | hidden units | 2000 (text), 784 (E.1) | 2000 |
 * | weight of the regularizer | γ/2 | λ, so γ = 2λ |
 *
 * Not in the paper: 'adversarial-training' (Madry et al. 2018) among the regularizers, in l2 with ε in units of pixels from 0 to 1.
 */
export default weir.pipeline({
  name: 'mnist',
  title: 'MNIST with spectral regularization up to feature space',
  task: { sampleShape: [28, 28], classes: [...'0123456789'] },
  figures: paper.mnist,

  config: {
    data: weir
      .folder('embedded')
      .default('embedded')
      .describe("folder with MNIST's four files, or 'embedded': 10,000 real digits"),
    hidden: z.int().min(1).default(2000).describe('hidden units'),
    ...weir.regularizerKeys([...weir.regularizerKinds, 'adversarial-training'], {
      regularizers: weir.spectralKinds,
      gamma: 1e-3,
      burnIn: 160,
    }),
    ...weir.adversaryKeys({ epsilon: 1.5 }),
    ...weir.trainingKeys({ epochs: 200, batchSize: 1024, rate: 0.1, decay: 1e-4 }),
    ...weir.attackKeys({ attacked: 1000 }),
    ...weir.whiteBoxKeys({ whitebox: 0 }),
    ...weir.blackBoxKeys({ blackbox: [] }),
    ...weir.evaluationKeys(),
    lowerBound: weir.changeable(
      z
        .enum(['lemma1', 'crown', 'sdp'])
        .default('lemma1')
        .describe('of each attacked digit: the best of Lemma 1 and of a relaxation, which takes 1 s at 2000 units'),
      'any',
    ),
  },
  profiles: {
    quick: {
      seeds: 1,
      hidden: 256,
      epochs: 20,
      batchSize: 128,
      rate: 0.2,
      burnIn: 12,
      gamma: 0.02,
      attacked: 40,
      lowerBound: 'crown',
    },
  },

  fallback: { attacked: 8 },
  networks: (config, seed) => weir.eachRegularizer({ ...config, seed }),

  wire({ config, network, seed }) {
    const { train, test } = weir.evaluationOf(weir.mnist({ data: config.data, seed }), config);
    const model = weir.mlp([784, config.hidden, 10]);
    const adversarial = network.regularizer === 'adversarial-training';
    const regularizer = weir.regularizer(adversarial ? 'none' : network.regularizer, model, {
      gamma: weir.gammaOf(config, network.regularizer),
      from: { epoch: config.burnIn },
      seed,
    });
    const adversary = adversarial
      ? weir.projectedGradient({ epsilon: config.epsilon, steps: config.adversarySteps })
      : undefined;

    const batches$ = weir
      .loader(train, { epochs: config.epochs, seed, block: config.batchSize })
      .pipe(weir.augment([weir.unitScale()], { seed }), weir.batch(config.batchSize, config));
    const updates$ = batches$.pipe(
      weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd(config), regularizer, adversary, seed }),
    );
    const ticks$ = updates$.pipe(
      weir.every({ updates: config.tickEvery, from: { epoch: config.burnIn } }),
      weir.spectralTick(regularizer),
    );
    const tests$ = updates$.pipe(weir.every({ epochs: 1 }), weir.accuracy(model, test));
    const sigmas$ = updates$.pipe(weir.every({ epochs: 1 }), weir.layerNorms(model));
    const certificate = { methods: config.lowerBound === 'lemma1' ? [] : [config.lowerBound] };
    const attacks$ = updates$.pipe(
      weir.atEnd(),
      weir.tangentAttack(model, test, { ...config, samples: config.attacked, certificate, seed }),
    );
    const blackBox = weir.blackBoxAttacks(updates$.pipe(weir.atEnd()), model, test, {
      ...config,
      certificate: 'crown',
      seed,
    });
    const whiteBox = weir.whiteBoxAttacks(updates$.pipe(weir.atEnd()), model, test, { ...config, seed });
    return { updates$, ticks$, tests$, sigmas$, attacks$, ...blackBox, ...whiteBox };
  },
});
