import { keyed } from '../../src/core/seed.js';
import type { Step } from '../../src/core/stage.js';
import { loadTensorFlow } from '../../src/learn/device/tf.js';
import { crossEntropy } from '../../src/learn/loss/crossEntropy.js';
import { mlp } from '../../src/learn/model/mlp.js';
import { sgd } from '../../src/learn/optimiser/sgd.js';
import { type Batch, type TrainState, trainStage } from '../../src/learn/train.js';
import type { Update } from '../../src/learn/update.js';
import { compare, pythonPeer, type Side } from './compare.js';

const samples = 60_000;
const size = 1024;
const updates = 10;
const threads = 2;

/** MNIST MLP training against PyTorch: the same model, loop and data, images a second. */
export async function bench(): Promise<boolean> {
  process.env.WEIR_THREADS ??= String(threads);
  const runtime = await loadTensorFlow();
  const python = await pythonPeer('mlp_train.py', [samples, size, updates, threads].map(String));
  const ours = weir(`Weir (TensorFlow ${runtime.version}, ${runtime.threads} threads)`);
  const peer: Side =
    python === undefined
      ? { name: 'nobody', round: () => Number.NaN }
      : { name: python.ready, round: async () => (await python.ask('round')).seconds, close: python.close };
  const work = { amount: updates * size, unit: 'images' };
  return (await compare({ name: 'mlp-train', ours, peer, reach: 1.2, rounds: 11, work })).reached;
}

/** The training step in a bare loop over data in memory. */
function weir(name: string): Side {
  const model = mlp([784, 2000, 10]);
  const optimiser = sgd({ rate: 0.1, momentum: 0.9, decay: 1e-4 });
  const stage = trainStage(model, { loss: crossEntropy(), optimiser, seed: 0 });
  const random = keyed(0, 'bench/data');
  const values = Float32Array.from({ length: samples * 784 }, () => random.uint32() / 2 ** 32);
  const labels = Uint8Array.from({ length: samples }, () => random.integer(10));
  let state: TrainState = stage.start();
  return {
    name,
    round() {
      const begin = performance.now();
      for (let i = 0; i < updates; i++) {
        const batch = gather(values, labels, state.number);
        state = (stage.next(state, batch) as Step<TrainState, Update>)[0];
      }
      state.loss.dataSync(); // all of it must be done
      return (performance.now() - begin) / 1e3;
    },
  };
}

/** The batch of an update: rows by a permutation (i · 7919 mod 60,000, since 7919 is prime to it). */
function gather(values: Float32Array, labels: Uint8Array, update: number): Batch {
  const batch = { values: new Float32Array(size * 784), labels: new Uint8Array(size) };
  for (let i = 0; i < size; i++) {
    const row = ((update * size + i) * 7919) % samples;
    batch.values.set(values.subarray(row * 784, (row + 1) * 784), i * 784);
    batch.labels[i] = labels[row]!;
  }
  return { ...batch, position: (update + 1) * size, epoch: 1, remaining: 1, sampleShape: [784] };
}
