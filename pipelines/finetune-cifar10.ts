import * as weir from 'weir-engine';
import { fineTuned, fineTuningKeys } from './shared/fine-tuning.js';
import * as paper from './shared/paper.js';
import { quickFineTuning } from './shared/quick.js';

const { z } = weir;

/**
 * Pretrained networks fine-tuned on CIFAR-10, its images enlarged to the size that the network was pretrained on (paper, 4.5 and E.4, figures 8
 * and E.6). Each pretraining, without a regularizer and with rep-spectral, meets each regularizer of the fine-tuning, and the Tangent
 * Attack.
 *
 * Differences between the paper's protocol and the authors' code (`--set protocol=authors` takes the code's, where marked):
 *
 * | | paper (default) | authors |
 * |---|---|---|
 * | readout | trained from its start | never trained, where the backbone is their own: a fault |
 * | weight of the regularizer | γ/2; the value is not stated, γ = 0.002 here | λ on Σ σ² of 0.01 or 0.001, so γ = 2λ |
 * | weight of batch spectral shrinkage | not stated, 0.001 here | 0.01 or 0.001 |
 * | regularizer goes | into the gradient, at every update | straight to the weights at each tick, not scaled by the rate |
 * | weight decay | not stated, 1e-4 here | 1e-4 |
 * | directions of the convolutions * | power iteration: `directions=power`. Usual here are Krylov spaces, nearer to exact | power iteration |
 * | start of the attack * | noise until found, and the nearest images predicted otherwise | first noisy point that is misclassified, 5000 tries |
 * | box of the attack * | the range of pixels from 0 to 1 after normalization, by channel | [−3, 3], wider than any pixel can go |
 *
 * Torchvision's own networks pad with zeros: `padding=zero` with their weights.
 *
 * From the code: views (`fineTuneRecipe`), one refresh of the directions every 15 updates, the cosine's length of 200 epochs, of which
 * shorter trainings see the beginning. Distances are in units of the normalized input.
 */
export default weir.pipeline({
  name: 'finetune-cifar10',
  title: 'Fine-tuning on CIFAR-10, after pretraining with and without spectral regularization',
  figures: paper.finetuneCifar10,

  config: {
    data: weir.folder().default('data/cifar10').describe("folder with CIFAR-10's binary files, plain or gzip"),
    images: z.int().min(1).default(50_000).describe('training images to take'),
    testImages: z.int().min(1).default(10_000).describe('test images to take'),
    ...fineTuningKeys({ epochs: 50, rate: 0.002, readoutRate: 0.01, seeds: 10 }),
  },
  profiles: { quick: { ...quickFineTuning, images: 1000, testImages: 300, epochs: 3 } },
  reproduce: { after: 'imagenet-pretrain' },

  networks: (config, seed) => weir.eachTransfer({ ...config, seed }),

  wire({ config, network, seed }) {
    const { size, epochs, batchSize, workers: threads } = config;
    const { train, test } = weir.cifar10({ data: config.data, train: config.images, test: config.testImages });
    const [resize] = weir.fineTuneTestRecipe('cifar10', { size });
    const images = {
      classes: train.classes,
      samples$: weir
        .loader(train, { epochs, seed, block: batchSize, capacity: 4 * batchSize })
        .pipe(weir.augment(weir.fineTuneRecipe('cifar10', { size }), { seed, threads, limit: 2 * batchSize })),
      test: weir.rendered(test, [resize!], { seed }),
      normalize: weir.cifar10Statistics,
    };
    return fineTuned(images, { config, network, seed });
  },
});
