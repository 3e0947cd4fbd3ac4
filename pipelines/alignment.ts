import * as weir from 'weir-engine';
import * as paper from './shared/paper.js';

const { z } = weir;

/**
 * How a readout aligns with features that do not learn: a simplex equiangular tight frame, a class each (paper, A.3: lemmas 2
 * and 3, figures A.1 and A.2). By default three unit vectors in the plane, 120° apart, from a small start and a large one.
 *
 * Full-batch gradient descent on the cross-entropy, no biases, no momentum. The paper does not say for how long. The sum of the
 * weight vectors never moves, for its gradient is 0: so alignment takes as long as the vectors need to outgrow their start.
 */
export default weir.pipeline({
  name: 'alignment',
  title: 'Alignment of the last layer with a simplex of features',
  figures: paper.alignment,

  config: {
    classes: z.int().min(2).default(3).describe('K: unit vectors, each a class'),
    dimension: z.int().min(1).default(2).describe('d: their dimension, K − 1 at least'),
    std: z
      .array(z.number().positive())
      .min(1)
      .default([0.001, 0.1])
      .describe('standard deviations of the Gaussian start, a network each'),
    seeds: z.int().min(1).default(5).describe('networks of each, seeded from --seed on'),
    epochs: weir.changeable(z.int().min(1).default(10_000).describe('an update each'), 'grows'),
    rate: z.number().positive().default(0.01).describe('learning rate'),
    logEvery: weir.changeable(
      z.int().min(1).default(20).describe('epochs from one line of the log to the next'),
      'any',
    ),
  },
  profiles: { quick: { seeds: 2, epochs: 3000 } },

  rules: [weir.endsWith('logEvery', 'epochs', 'logged')],
  networks: ({ classes, dimension, std, seeds }, seed) =>
    std.flatMap((std) =>
      Array.from({ length: seeds }, (_, i) => ({
        name: `std-${String(std).replace(/[^0-9]/g, '-')}-s${seed + i}`,
        regularizer: `none: std ${std}`,
        seed: seed + i,
        std,
        sampleShape: [dimension],
        classes: Array.from({ length: classes }, (_, k) => String(k + 1)),
      })),
    ),

  wire({ config, network, seed }) {
    const points = weir.simplex(config);
    const model = weir.linear([config.dimension, config.classes], { initialization: weir.normal(network.std) });

    const steps$ = weir
      .loader(points, { epochs: config.epochs, seed, shuffle: false })
      .pipe(
        weir.augment([], { seed }),
        weir.batch(points.size),
        weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: config.rate }), seed }),
      );
    const updates$ = steps$.pipe(weir.every({ epochs: config.logEvery }));
    const tests$ = updates$.pipe(weir.accuracy(model, points));
    const alignments$ = updates$.pipe(weir.alignment(model, points));
    return { updates$, tests$, alignments$ };
  },
});
