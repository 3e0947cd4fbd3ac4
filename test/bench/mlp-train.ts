import { loadTensorFlow } from '../../src/tensorflow/tf.js';
import { compare, pythonPeer, type Side } from './compare.js';
import { graph, images, size } from './sides/mnist.js';

const samples = 60_000;
const updates = 10;
const threads = 2;

/** MNIST MLP training against PyTorch: the same model, loop and data, images a second. */
export async function bench(): Promise<boolean> {
  process.env.WEIR_THREADS ??= String(threads);
  const runtime = await loadTensorFlow();
  const python = await pythonPeer('mlp_train.py', [samples, size, updates, threads].map(String));
  const ours = graph(`Weir (TensorFlow ${runtime.version}, ${runtime.threads} threads)`, images(), updates);
  const peer: Side =
    python === undefined
      ? { name: 'no peer', round: () => Number.NaN }
      : { name: python.ready, round: async () => (await python.ask('round')).seconds, close: python.close };
  const work = { amount: updates * size, unit: 'images' };
  return (await compare({ name: 'mlp-train', ours, peer, reach: 1.2, rounds: 11, work })).reached;
}
