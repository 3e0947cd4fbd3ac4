import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Dataset } from '../../../src/data/dataset.js';
import { keyed } from '../../../src/flow/random.js';
import { crossEntropy } from '../../../src/learn/loss/cross-entropy.js';
import type { Model, Weights } from '../../../src/learn/model/model.js';
import type { Optimizer } from '../../../src/learn/optimizer/optimizer.js';
import { sgd } from '../../../src/learn/optimizer/sgd.js';
import { type Batch, trainStage } from '../../../src/learn/train.js';
import type { TrainState, Update } from '../../../src/learn/update.js';
import { writeInput } from '../../../src/measure/inputs.js';

/** The folder of the real MNIST, or else the digits that are embedded. */
export function digitsFolder(): string {
  const shared = process.env.WEIR_SHARED ?? join(import.meta.dirname, '../../../../shared');
  const folder = join(shared, 'data/mnist');
  return existsSync(folder) ? folder : 'embedded';
}

export interface DigitTraining {
  readonly optimizer: Optimizer;
  readonly epochs: number;
  readonly batchSize: number;
  /** Of the initialization and the order; 0 by default. */
  readonly seed?: number;
}

/** A few epochs of large batches, with a rate at which they suffice. */
export const shortTraining: DigitTraining = {
  optimizer: sgd({ rate: 5, momentum: 0.9, decay: 0 }),
  epochs: 3,
  batchSize: 1024,
};

/** The weights after a training on batches drawn with replacement; they belong to the caller. */
export function trainedOnDigits(
  model: Model,
  train: Dataset,
  { optimizer, epochs, batchSize, seed = 0 }: DigitTraining = shortTraining,
): Weights {
  const stage = trainStage(model, { loss: crossEntropy(), optimizer, seed });
  const random = keyed(seed, 'bench/order');
  let state: TrainState = stage.start();
  for (let update = 0; update < epochs * Math.floor(train.size / batchSize); update++) {
    const values = new Float32Array(batchSize * 784);
    const labels = new Uint8Array(batchSize);
    for (let i = 0; i < batchSize; i++) {
      const index = random.integer(train.size);
      writeInput(train, index, values, i * 784);
      labels[i] = train.labels[index]!;
    }
    const at = { position: (update + 1) * batchSize, epoch: 1, remaining: 1, sampleShape: [784] };
    const batch: Batch = { ...at, values, labels };
    [state] = stage.next(state, batch) as readonly [TrainState, Update];
  }
  console.log(`trained ${state.number} updates, loss ${state.loss.dataSync()[0]!.toFixed(3)}`);
  return state.weights;
}
