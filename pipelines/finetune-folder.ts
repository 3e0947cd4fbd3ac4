import * as weir from 'weir-engine';
import { fineTuned, fineTuningKeys } from './shared/fine-tuning.js';
import * as paper from './shared/paper.js';
import { quickFineTuning } from './shared/quick.js';

const { z } = weir;

/**
 * Pretrained networks fine-tuned on a folder of photographs: Stanford Dogs, Oxford Flowers or MIT Indoor by their official lists, or any
 * folder of ImageNet's layout (paper, 4.5 and E.4, figure E.7). Each pretraining, without a regularizer and with rep-spectral, meets
 * each regularizer of the fine-tuning, and the Tangent Attack.
 *
 * `--set profile=flowers` and `--set profile=indoor` have the paper's values for those; the defaults are for the dogs. `weir reproduce
 * finetune-folder` runs all three; with `--only flowers --set data=DIR` one of them.
 *
 * Differences between the paper's protocol and the authors' code, and values taken from the code: as in `finetune-cifar10`.
 */
export default weir.pipeline({
  name: 'finetune-folder',
  title: 'Fine-tuning on a folder of photographs, after pretraining with and without spectral regularization',
  figures: paper.finetuneFolder,

  config: {
    data: weir.folder().default('data/dogs').describe('folder of images, with its official lists or train/ and val/'),
    testSplit: z.string().default('test').describe('name of the part that tests, such as val'),
    links: z.enum(['inside', 'follow']).default('inside').describe('links out of the folder: refused, or followed'),
    unreadable: z.enum(['fail', 'skip']).default('fail').describe('an unreadable image ends the run, or is left out'),
    ...fineTuningKeys({ epochs: 50, rate: 0.001, readoutRate: 0.005, seeds: 5 }),
  },
  profiles: {
    flowers: { epochs: 1000, readoutRate: 0.005, rate: 0.001, testEvery: 20 },
    indoor: { epochs: 100, readoutRate: 0.01, rate: 0.002 },
    quick: { ...quickFineTuning, epochs: 4 },
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
    const { data: folder, unreadable, links, size, epochs, batchSize, workers: threads } = config;
    const train = await weir.imageFolder({ folder, split: 'train', unreadable, links });
    const test = await weir.imageFolder({ folder, split: config.testSplit, unreadable, links });
    const resized = weir.fineTuneTestRecipe('folder', { size }).slice(0, 1);
    const images = {
      classes: train.classes,
      samples$: weir
        .loader(train, { epochs, seed, capacity: 4 * batchSize })
        .pipe(weir.augment(weir.fineTuneRecipe('folder', { size }), { seed, threads, limit: 2 * batchSize })),
      test: await weir.decoded(test, resized),
      normalize: weir.imagenetStatistics,
    };
    return fineTuned(images, { config, network, seed });
  },
});
