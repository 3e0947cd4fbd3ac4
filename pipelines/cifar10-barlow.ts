import * as weir from 'weir-engine';
import * as paper from './shared/paper.js';
import { cifar10Backbone, quickPretraining, selfSupervised, selfSupervisedKeys } from './shared/self-supervised.js';

const { z } = weir;

/**
 * CIFAR-10, Barlow Twins on ResNet-18: pretraining without labels under the regularizer γ/2 · Σ σ² up to feature space, or without;
 * then a logistic readout on the frozen features, and the Tangent Attack on both together (paper, 4.4 and E.3, figure 7).
 *
 * `tests$` is a readout fitted to the training images every few epochs; `attacks$` is on the readout that is fitted at the end.
 *
 * Differences between the paper's protocol and the authors' code (`--set protocol=authors` takes the code's, where marked):
 *
 * | | paper (default) | authors |
 * |---|---|---|
 * | images that the last readout is fitted to * | the training images as they are | random crops and flips of them |
 * | normalized for readout and attack with * | the constants of the pretraining, ImageNet's | CIFAR-10's |
 * | directions of the convolutions * | power iteration every 24 updates: `directions=power`. Usual here are Krylov spaces, of the same products and nearer to exact | exact, at every update that is regularized |
 * | regularizer acts | at every update after the burn-in | at updates 0 and 24 of an epoch, and in a step of its own after each |
 * | weight of the regularizer | γ/2, γ = 0.01 | λ on Σ σ², so γ = 2λ: 0.02, 0.002 or 0.2 |
 * | start of the attack * | noise until found, and the nearest images predicted otherwise | first noisy point that is misclassified, 5000 tries |
 * | box of the attack * | the range of pixels from 0 to 1 after normalization, by channel | [−3, 3], wider than any pixel can go |
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
  figures: paper.barlow,

  config: {
    ...selfSupervisedKeys({ batchSize: 1024, decay: 1e-4 }),
    projections: z.int().min(1).default(256).describe('width of the projections that are compared'),
    lambda: z.number().min(0).default(0.005).describe('λ of Barlow Twins, the weight of the terms off the diagonal'),
  },
  profiles: { quick: { ...quickPretraining, projections: 64 } },

  networks: (config, seed) => weir.eachRegularizer({ ...config, seed }),

  wire({ config, network, seed }) {
    const { train, test } = weir.cifar10({ data: config.data, train: config.images, test: config.testImages });
    const backbone = cifar10Backbone(config);
    const crops = [weir.randomCrop({ padding: 4 }), weir.horizontalFlip()];
    const authors = () => ({ fitted: weir.rendered(train, crops, { seed }), normalize: weir.cifar10Statistics });
    const method = {
      backbone,
      model: weir.projected(backbone, { outputs: config.projections, bias: false }),
      loss: weir.barlowTwins(config),
      recipes: weir.barlowRecipes(),
      train,
      test,
      normalize: weir.imagenetStatistics,
      ...(config.protocol === 'authors' && { last: authors() }),
    };
    return selfSupervised(method, { config, network, seed });
  },
});
