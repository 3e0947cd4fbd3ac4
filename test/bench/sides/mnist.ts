import { augment } from '../../../src/data/augment/augment.js';
import { unitScale } from '../../../src/data/augment/ops/normalize.js';
import { batch } from '../../../src/data/batch.js';
import { type Dataset, sharedBytes } from '../../../src/data/dataset.js';
import { loader } from '../../../src/data/loader.js';
import { keyed } from '../../../src/flow/random.js';
import { crossEntropy } from '../../../src/learn/loss/cross-entropy.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import { sgd } from '../../../src/learn/optimizer/sgd.js';
import { train } from '../../../src/learn/train.js';
import type { Side } from '../compare.js';
import { trained } from './trained.js';

/** The MNIST protocol's model, batch and optimizer, on bytes of noise in MNIST's shape. */
export const size = 1024;
export const training = { loss: crossEntropy(), optimizer: sgd({ rate: 0.1, momentum: 0.9, decay: 1e-4 }), seed: 0 };
export const model = () => mlp([784, 2000, 10]);

export function images(): Dataset {
  const values = sharedBytes(60_000 * 784);
  const random = keyed(0, 'bench');
  for (let i = 0; i < values.length; i += 1 + random.integer(8)) values[i] = random.uint32() & 255;
  const labels = sharedBytes(60_000);
  for (let i = 0; i < labels.length; i++) labels[i] = random.integer(10);
  return { name: 'noise', size: 60_000, sampleShape: [28, 28, 1], classes: [...'0123456789'], values, labels };
}

/** Training through the whole graph; a round is so many updates. */
export const graph = (name: string, dataset: Dataset, updates: number): Side =>
  trained(
    name,
    loader(dataset, { epochs: 1000, seed: 0, block: size }).pipe(
      augment([unitScale()], { seed: 0 }),
      batch(size),
      train(model(), training),
    ),
    updates,
  );
