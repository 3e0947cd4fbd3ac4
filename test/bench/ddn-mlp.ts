import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Dataset } from '../../src/data/dataset.js';
import { mnist } from '../../src/data/datasets/mnist.js';
import { keyed } from '../../src/flow/random.js';
import { crossEntropy } from '../../src/learn/loss/cross-entropy.js';
import { mlp } from '../../src/learn/model/mlp.js';
import type { Model, Weights } from '../../src/learn/model/model.js';
import { sgd } from '../../src/learn/optimizer/sgd.js';
import { type Batch, trainStage } from '../../src/learn/train.js';
import type { TrainState, Update } from '../../src/learn/update.js';
import { ddn } from '../../src/measure/attack/ddn.js';
import { fmn } from '../../src/measure/attack/fmn.js';
import { tangentAttack } from '../../src/measure/attack/tangent-attack.js';
import { writeInput } from '../../src/measure/inputs.js';
import { loadTensorFlow } from '../../src/tensorflow/tf.js';
import { attackedBy, compareDdn, meanDistance } from './sides/attacked.js';

const threads = 2;
const width = 2000;
const [epochs, batchSize] = [3, 1024];
const count = 100;
/** Digits of the Tangent Attack, whose T = 40 takes a hundred times as long. */
const few = 30;

/**
 * DDN on the first 100 test digits that an MLP gets right, none left out: ours by default (100 steps, then the boundary), against 1,000
 * steps of foolbox and of adv-lib, on the same weights and digits, in one batch, clipped alike, values not quantized. Reached where ours
 * takes half of the time and its mean distance is at most 0.5 % longer.
 *
 * `ddn-mlp alike` gives ours 1,000 steps too. Last come the mean distances of FMN, and of the Tangent Attack beside DDN.
 */
export async function bench([how]: string[] = []): Promise<boolean> {
  process.env.WEIR_THREADS ??= String(threads);
  const runtime = await loadTensorFlow();
  const { train, test } = mnist({ data: digitsFolder() });
  const model = mlp([784, width, 10]);
  const weights = trained(model, train);
  const iterations = how === 'alike' ? 1000 : 100;
  const options = { samples: count, seed: 0, shuffle: false };
  const attack = () => attackedBy(ddn(model, test, { ...options, iterations }), weights);
  const reached = await compareDdn({
    name: 'ddn-mlp',
    model,
    weights,
    network: String(width),
    samples: attack(),
    threads,
    steps: 1000,
    reach: 2,
    longest: 1.005,
    runtime: `${iterations} steps, TensorFlow ${runtime.version}, ${runtime.threads} threads`,
    attack,
  });
  const others = meanDistance(attackedBy(fmn(model, test, options), weights));
  console.log(`FMN, 100 steps, on the ${count} digits: mean distance ${others.toFixed(4)}`);
  const [walked, seen] = [tangentAttack, ddn].map((make) =>
    meanDistance(attackedBy(make(model, test, { ...options, samples: few }), weights)),
  ) as [number, number];
  console.log(
    `Tangent Attack, T = 40, on ${few} of them: mean distance ${walked.toFixed(4)}, DDN ${seen.toFixed(4)}: ${(100 * (walked / seen - 1)).toFixed(1)} % above`,
  );
  return reached;
}

/** A few epochs, with a rate at which they suffice. */
function trained(model: Model, train: Dataset): Weights {
  const optimizer = sgd({ rate: 5, momentum: 0.9, decay: 0 });
  const stage = trainStage(model, { loss: crossEntropy(), optimizer, seed: 0 });
  const random = keyed(0, 'bench/order');
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
  return state.weights;
}

function digitsFolder(): string {
  const shared = process.env.WEIR_SHARED ?? join(import.meta.dirname, '../../../shared');
  const folder = join(shared, 'data/mnist');
  return existsSync(folder) ? folder : 'embedded';
}
