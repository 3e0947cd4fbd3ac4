import { weight } from '../../src/learn/model/model.js';
import { spectralRegularizer } from '../../src/learn/regularizer/spectral.js';
import { exactSigma } from '../../src/learn/spectral/exact.js';
import { loadTensorFlow, tf } from '../../src/tensorflow/tf.js';
import { compare, type Side } from './compare.js';
import { authors, convolutions, kernelSets, model, threads } from './sides/convolutions.js';

/**
 * One power iteration on every convolution of ResNet-18 (CIFAR) at all frequencies, and the gradient of the regularizer, against the
 * authors' fine-tuning code, which does the same with autograd. Rounds alternate between two sets of kernels.
 */
export async function bench(): Promise<boolean> {
  process.env.WEIR_THREADS ??= String(threads);
  const runtime = await loadTensorFlow();
  const sets = kernelSets();
  const regularizers = sets.map((weights) => {
    const regularizer = spectralRegularizer('rep-spectral', model, { gamma: 0.02 });
    regularizer.ticked = true;
    regularizer.newest = regularizer.begin(weights);
    return regularizer;
  });
  const parts: { tick: number[]; gradient: number[] } = { tick: [], gradient: [] };
  const ours: Side = {
    name: `Weir (TensorFlow ${runtime.version}, ${runtime.threads} threads)`,
    round(round) {
      const weights = sets[round % sets.length]!;
      const regularizer = regularizers[round % sets.length]!;
      const gradients = new Map(convolutions.map(({ kernel }) => [kernel, tf.zerosLike(weight(weights, kernel))]));
      for (const gradient of gradients.values()) gradient.dataSync(); // they are there before the clock starts
      const begun = performance.now();
      regularizer.newest = regularizer.iterate(regularizer.newest!, weights);
      const ticked = performance.now();
      regularizer.addGradients({ weights }, gradients);
      const ended = performance.now();
      tf.dispose([...gradients.values()]);
      parts.tick.push(ticked - begun);
      parts.gradient.push(ended - ticked);
      return (ended - begun) / 1e3;
    },
  };
  const python = await authors(sets);
  const peer: Side =
    python === undefined
      ? { name: 'no peer', round: () => Number.NaN }
      : {
          name: `the authors' batched power iteration (${python.ready})`,
          round: async (round) => (await python.ask(`tick ${round % sets.length}`)).seconds,
          close: python.close,
        };
  const measured = await compare({ name: 'power-tick', ours, peer, reach: 10, rounds: 6, warmUp: 2 });
  const middle = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!.toFixed(1);
  const off = sets.map((weights, i) =>
    Math.max(
      ...convolutions.map(({ name, kernel, stride, inputSize: [height, width] }) => {
        const { sigma } = exactSigma(weight<tf.Tensor4D>(weights, kernel), { height, width, stride });
        return 1 - regularizers[i]!.newest![name]!.sigma / sigma;
      }),
    ),
  );
  console.log(
    `a tick ${middle(parts.tick)} ms, a gradient ${middle(parts.gradient)} ms; σ below the exact one by at most ${Math.max(...off).toExponential(1)} of it`,
  );
  console.log(`power-tick ratio ${measured.ratio.toFixed(2)} (reach 10.00)`);
  return measured.reached;
}
