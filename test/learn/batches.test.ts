import { expect, test } from 'vitest';
import { checkBatches, type ExpectedBatches } from '../../src/learn/batches.js';
import { crossEntropy } from '../../src/learn/loss/cross-entropy.js';
import { barlowTwins } from '../../src/learn/loss/views.js';
import { mlp } from '../../src/learn/model/mlp.js';
import { resnet } from '../../src/learn/model/resnet/resnet.js';
import { batchSpectralShrinkage } from '../../src/learn/regularizer/batch-spectral-shrinkage.js';

const plain = { model: mlp([4, 8, 3]), loss: crossEntropy() };
const network = (pixels: number) => ({
  model: resnet({ depth: 18, stem: 'cifar', inputSize: [pixels, pixels], width: 4, classes: 3 }),
  loss: crossEntropy(),
});
const views = { ...network(8), loss: barlowTwins() };
const shrunk = {
  ...plain,
  regularizer: batchSpectralShrinkage(plain.model, { smallest: 4, gamma: 1, from: { epoch: 0 } }),
};
const alone = { ranks: 1, synchronized: false };
const sizes = (size: number, last: number): ExpectedBatches => ({ batches: { count: 3, size, last } });

test.each([
  [
    'one sample on maps of one pixel',
    network(8),
    sizes(16, 1),
    alone,
    'the last batch of each epoch has 1 sample (batches of 16): resnet18',
  ],
  ['batches of one', network(8), sizes(1, 1), alone, 'each batch has 1 sample: resnet18'],
  [
    'fewer samples than ranks, normalized over all',
    network(16),
    sizes(16, 2),
    { ranks: 4, synchronized: true },
    'shared by 4 ranks: batch normalizations over all ranks',
  ],
  ['a share of one sample', network(8), sizes(16, 6), { ranks: 4, synchronized: false }, 'shared by 4 ranks: resnet18'],
  [
    'views that ranks share unevenly',
    views,
    sizes(16, 6),
    { ranks: 4, synchronized: false },
    'which need as many each',
  ],
  ['views of one sample', views, sizes(16, 1), alone, "loss 'barlow-twins' tells a sample from others"],
  ['fewer samples than singular values', shrunk, sizes(16, 3), alone, 'needs 4 samples in every batch'],
])('told before the first update: %s', (_, trained, planned, ranks, message) => {
  expect(() => checkBatches(trained, planned, ranks)).toThrow(message);
});

test.each([
  ['one sample on larger maps', network(16), sizes(16, 1), alone],
  ['one sample without normalization', plain, sizes(16, 1), { ranks: 4, synchronized: true }],
  ['no batch operator', plain, {}, alone],
])('works: %s', (_, trained, planned, ranks) => {
  expect(() => checkBatches(trained, planned, ranks)).not.toThrow();
});
