import { EMPTY, filter, map } from 'rxjs';
import * as weir from 'weir-engine';
import * as paper from './shared/paper.js';

const { z } = weir;

/** Data whose samples are followed: XOR in the plane (figure A.3), handwritten digits (figure A.4). */
const tasks = {
  xor: { sampleShape: [2], classes: ['same sign', 'opposite signs'] },
  mnist: { sampleShape: [28, 28], classes: [...'0123456789'] },
} as const;

const DIGITS = [1, 6]; // the classes of the paper's two test samples

/**
 * θ_x, ‖Φ(x)‖₂ and the loss of single samples while features and readout learn together, from a small start N(0, 0.01²) and on
 * the cross-entropy alone (paper, A.4): the corners of XOR with 20 hidden units and full batches, with the decision boundary at
 * some epochs (figure A.3); a test digit 1 and a test digit 6 of MNIST (figure A.4). A network each.
 *
 * XOR by plain gradient descent, as in the paper. The paper leaves its rate and length open, and all of MNIST's: rates and batches are
 * those of its other experiments on the same data.
 */
export default weir.pipeline({
  name: 'tracking',
  title: 'θ, feature norm and loss of single samples over the training',
  figures: paper.tracking,

  config: {
    tasks: z
      .array(z.enum(['xor', 'mnist']))
      .min(1)
      .default(['xor', 'mnist'])
      .describe('a network each'),
    data: weir
      .folder('embedded')
      .default('embedded')
      .describe("folder with MNIST's four files, or 'embedded': 10,000 real digits"),
    std: z.number().positive().default(0.01).describe('standard deviation of the Gaussian start'),
    xorHidden: z.int().min(1).default(20).describe('hidden units'),
    xorEpochs: z.int().min(1).default(2000).describe('an update each'),
    xorRate: z.number().positive().default(1).describe('learning rate'),
    snapshots: z
      .array(z.int().min(0))
      .max(12)
      .default([0, 300, 400, 500, 600, 700, 1000, 2000])
      .describe('epochs of XOR whose decision boundary is kept'),
    mnistHidden: z.int().min(1).default(2000).describe('hidden units'),
    mnistEpochs: z.int().min(1).default(200),
    mnistRate: z.number().positive().default(0.1).describe('learning rate'),
    mnistMomentum: z.number().min(0).lt(1).default(0.9),
    mnistBatchSize: z.int().min(1).default(1024).describe('samples an update'),
    trackEvery: weir.changeable(
      z.int().min(1).default(5).describe('updates from one look at the samples to the next'),
      'any',
    ),
  },
  profiles: { quick: { mnistHidden: 256, mnistEpochs: 10, mnistBatchSize: 128, mnistRate: 0.2 } },

  rules: [
    {
      keys: ['snapshots', 'xorEpochs'],
      follows: true,
      clash({ snapshots, xorEpochs, tasks }) {
        const there = (snapshots as number[]).filter((epoch) => epoch <= (xorEpochs as number));
        if (there.length === (snapshots as number[]).length || !(tasks as string[]).includes('xor')) return undefined;
        return { why: 'the training ends before some of them', right: there };
      },
    },
    {
      keys: ['trackEvery', 'xorEpochs'],
      clash({ trackEvery, xorEpochs, tasks }) {
        if ((trackEvery as number) <= (xorEpochs as number) || !(tasks as string[]).includes('xor')) return undefined;
        return { why: 'XOR has an update an epoch, and would be followed at none', right: 1 };
      },
    },
  ],
  networks: (config, seed) =>
    config.tasks.map((task) => ({
      name: task,
      regularizer: `none: ${task}`,
      seed,
      task,
      ...tasks[task],
      epochs: config[`${task}Epochs`],
      rate: config[`${task}Rate`],
      hidden: config[`${task}Hidden`],
    })),

  wire({ config, network, seed }) {
    const { task, epochs, rate, hidden } = network;
    const plane = task === 'xor';
    const points = weir.xor();
    const { train, test } = plane ? { train: points, test: points } : weir.mnist({ data: config.data, seed });
    const indices = plane ? undefined : DIGITS.map((digit) => test.labels.indexOf(digit));
    const model = weir.mlp([plane ? 2 : 784, hidden, plane ? 2 : 10], { initialization: weir.normal(config.std) });
    const size = plane ? points.size : config.mnistBatchSize;

    const steps$ = weir
      .loader(train, { epochs, seed, shuffle: !plane, block: size })
      .pipe(
        weir.augment(plane ? [] : [weir.unitScale()], { seed }),
        weir.batch(size),
        weir.train(model, {
          loss: weir.crossEntropy(),
          optimizer: weir.sgd({ rate, momentum: plane ? 0 : config.mnistMomentum }),
          seed,
        }),
      );
    const tracks$ = steps$.pipe(
      weir.every({ updates: config.trackEvery }),
      weir.tracking(model, test, { indices }),
      map((track) => ({ ...track, epoch: track.position / train.size })), // parts of an epoch, for the figure
    );
    const updates$ = steps$.pipe(weir.every({ epochs: plane && epochs % 10 === 0 ? 10 : 1 }));
    const tests$ = updates$.pipe(weir.accuracy(model, test));
    const geometries$ = plane
      ? steps$.pipe(
          filter(({ epoch }) => config.snapshots.includes(epoch)),
          weir.geometryGrid(model, { points }),
        )
      : EMPTY;
    return { updates$, tests$, tracks$, geometries$ };
  },
});
