import * as weir from '../src/index.js';

const { z } = weir;

/**
 * Pretrained networks fine-tuned on a folder of photographs: Stanford Dogs, Oxford Flowers or MIT Indoor by their official lists, or any
 * folder of ImageNet's layout (paper, 4.5 and E.4, figure E.7). Each pretraining, without a regularizer and with rep-spectral, meets
 * each regularizer of the fine-tuning, and the Tangent Attack.
 *
 * `--set profile=flowers` and `--set profile=indoor` have the paper's values for those; the defaults are for the dogs. `weir reproduce
 * finetune-folder` runs all three; with `--only flowers --set data=DIR` one of them.
 *
 * What the paper's protocol and the authors' code do differently, and what is taken from the code: as in `finetune-cifar10`.
 */
export default weir.pipeline({
  name: 'finetune-folder',
  title: 'Fine-tuning on a folder of photographs, after pretraining with and without spectral regularization',

  config: {
    data: weir.folder().default('data/dogs').describe('folder of images, with its official lists or train/ and val/'),
    testSplit: z.string().default('test').describe('what its test images are called there, such as val'),
    links: z.enum(['inside', 'follow']).default('inside').describe('links out of the folder: refused, or followed'),
    unreadable: z.enum(['fail', 'skip']).default('fail').describe('what an unreadable image is cause for'),
    ...weir.transferKeys({ epochs: 50, rate: 0.001, readoutRate: 0.005, seeds: 5 }),
    workers: z.int().min(1).default(2).describe('threads that decode and augment'),
    testEvery: z.int().min(1).default(1).describe('epochs from one test to the next'),
  },
  profiles: {
    flowers: { epochs: 1000, readoutRate: 0.005, rate: 0.001, testEvery: 20 },
    indoor: { epochs: 100, readoutRate: 0.01, rate: 0.002 },
    quick: {
      ...{ depth: 18, stem: 'cifar', width: 8, size: 32, seeds: 1, epochs: 4, batchSize: 64, rate: 0.005 },
      ...{ readoutRate: 0.02, attacked: 4, iterations: 3 },
    },
  },
  reproduce: {
    after: 'imagenet-pretrain',
    settings: {
      dogs: ['data=data/dogs'],
      flowers: ['profile=flowers', 'data=data/flowers'],
      indoor: ['profile=indoor', 'data=data/indoor'],
    },
  },

  networks: (config, seed) => weir.eachTransfer({ ...config, seed }),

  async wire({ config, network, seed }) {
    const { data: folder, unreadable, links, size, epochs, batchSize } = config;
    const recipe = weir.fineTuneTestRecipe('folder', { size });
    const train = await weir.imageFolder({ folder, split: 'train', unreadable, links });
    const test = await weir.decoded(
      await weir.imageFolder({ folder, split: config.testSplit, unreadable, links }),
      recipe.slice(0, 1),
    );
    const { depth, stem, width, padding, precision } = config;
    const shape = { depth, stem, width, padding, precision, inputSize: [size, size] as const };
    const model = weir.pretrainedModel(weir.resnet({ ...shape, classes: train.classes.length }), config, network);
    const regularizer = weir.regularizer(network.finetuned, model, {
      gamma: network.finetuned === 'batch-spectral-shrinkage' ? config.shrinkage : config.gamma,
      from: { epoch: config.burnIn },
      directions: weir.directionsOf(config, { authors: 'power' }),
      seed,
    });
    const { momentum, decay } = config;
    const rate = (value: number) => weir.cosine(value, { epochs: config.cosineEpochs });

    const updates$ = weir.loader(train, { epochs, seed, capacity: 4 * batchSize }).pipe(
      weir.augment(weir.fineTuneRecipe('folder', { size }), { seed, threads: config.workers, limit: 2 * batchSize }),
      weir.batch(batchSize, config),
      weir.train(model, {
        loss: weir.crossEntropy(),
        optimizer: weir.sgd({
          ...{ rate: rate(config.rate), momentum, decay },
          rates: [{ weights: [model.readout.name], rate: rate(config.readoutRate) }],
        }),
        ...{ regularizer, seed },
      }),
    );
    const ticks$ = updates$.pipe(
      weir.every({ updates: config.tickEvery, from: { epoch: config.burnIn } }),
      weir.spectralTick(regularizer),
    );
    const normalize = weir.imagenetStatistics;
    const tests$ = updates$.pipe(
      weir.every({ epochs: config.testEvery }),
      weir.accuracy(model, test, { normalize, batch: batchSize }),
    );
    const attacks$ = updates$.pipe(
      weir.atEnd(),
      weir.tangentAttack(model, test, {
        ...config,
        ...{ samples: config.attacked, normalize, seed },
      }),
    );
    return { updates$, ticks$, tests$, attacks$ };
  },
});
