import * as weir from '../src/index.js';

const { z } = weir;

/**
 * XOR in the plane, 2-8-2 GELU: four corners, or noisy points about them (paper, 4.1 and E.1).
 *
 * What the paper's protocol and the authors' code do differently (`--set protocol=authors` takes the code's):
 *
 * | | paper (default) | authors |
 * |---|---|---|
 * | noisy data | full batch | batches of 20 |
 * | start of the attack | nearest of 100 noisy points | first noisy point that is misclassified, 5000 tries |
 * | penalty on the features | γ/2 · σ² | adds mean max gelu'(z)² (not here) |
 */
export default weir.pipeline({
  name: 'xor',
  title: 'XOR with spectral regularisation up to feature space',
  task: { sampleShape: [2], classes: ['same sign', 'opposite signs'] },

  config: {
    noisy: z.boolean().default(false).describe('20 points about each corner instead of the corners'),
    std: z.number().positive().default(0.2).describe('standard deviation of the noise'),
    regularisers: z
      .array(z.enum(weir.penaltyKinds))
      .default([...weir.penaltyKinds])
      .describe('a network each'),
    hidden: z.int().min(1).default(8).describe('hidden units'),
    epochs: z.int().min(1).default(15_000),
    rate: z.number().positive().default(1).describe('learning rate'),
    momentum: z.number().min(0).max(1).default(0.9),
    decay: z.number().min(0).default(0).describe('weight decay, on all parameters'),
    gamma: z.number().min(0).default(1e-4).describe('γ of equations 5 and 6'),
    burnIn: z.int().min(0).default(10_500).describe('epochs before the penalty acts'),
    logEvery: z.int().min(1).default(50).describe('epochs from one line of the log to the next'),
    iterations: z.int().min(1).default(40).describe('T of the Tangent Attack'),
    protocol: z.enum(['paper', 'authors']).default('paper').describe('whose batches and whose attack'),
  },
  profiles: {
    quick: { epochs: 3000, burnIn: 2000 },
  },

  networks: ({ regularisers }, seed) => regularisers.map((regulariser) => ({ name: regulariser, regulariser, seed })),

  wire({ config, network, seed }) {
    const points = weir.xor({ seed, ...(config.noisy && { noise: { std: config.std } }) });
    const model = weir.mlp([2, config.hidden, 2]);
    const penalty = weir.spectralPenalty(network.regulariser, model, {
      gamma: config.gamma,
      from: { epoch: config.burnIn },
      seed,
    });
    const batchSize = config.noisy && config.protocol === 'authors' ? 20 : points.size;

    const batches$ = weir
      .draw(points, { epochs: config.epochs, seed, shuffle: batchSize < points.size })
      .pipe(weir.augment([], { seed }), weir.batch(batchSize));
    const steps$ = batches$.pipe(
      weir.train(model, { loss: weir.crossEntropy(), optimiser: weir.sgd(config), penalty, seed }),
    );
    const ticks$ = steps$.pipe(
      weir.every({ updates: 1, from: { epoch: config.burnIn } }),
      weir.spectralTick(penalty),
      weir.every({ epochs: config.logEvery }),
    );
    const updates$ = steps$.pipe(weir.every({ epochs: config.logEvery }));
    const tests$ = updates$.pipe(weir.accuracy(model, points));
    const sigmas$ = updates$.pipe(weir.layerNorms(model));
    const whole = { samples: points.size, box: { min: -2, max: 2 }, shuffle: false };
    const attacks$ = steps$.pipe(weir.atEnd(), weir.tangentAttack(model, points, { ...config, ...whole, seed }));
    return { ticks$, updates$, tests$, sigmas$, attacks$ };
  },
});
