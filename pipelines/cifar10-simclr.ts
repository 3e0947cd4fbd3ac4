import * as weir from 'weir-engine';
import * as paper from './shared/paper.js';
import { cifar10Backbone, quickPretraining, selfSupervised, selfSupervisedKeys } from './shared/self-supervised.js';

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
  figures: paper.simclr,

  config: {
    ...selfSupervisedKeys({ batchSize: 512, decay: 5e-4 }),
    hidden: z.int().min(1).default(512).describe('hidden units of the projection head'),
    projections: z.int().min(1).default(10).describe('width of the projections that are compared'),
    temperature: z.number().positive().default(0.07).describe('that similarities are divided by'),
  },
  profiles: { quick: { ...quickPretraining, hidden: 64 } },

  networks: (config, seed) => weir.eachRegularizer({ ...config, seed }),

  wire({ config, network, seed }) {
    const { train, test } = weir.cifar10({ data: config.data, train: config.images, test: config.testImages });
    const backbone = cifar10Backbone(config);
    const method = {
      backbone,
      model: weir.projected(backbone, { hidden: [config.hidden], outputs: config.projections }),
      loss: weir.ntXent(config),
      recipes: weir.simclrRecipes(),
      train,
      test,
    };
    return selfSupervised(method, { config, network, seed });
  },
});
