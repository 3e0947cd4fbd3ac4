import { weight } from '../../src/learn/model/model.js';
import { type ExactSigma, exactSigma } from '../../src/learn/spectral/exact.js';
import { loadTensorFlow, type tf } from '../../src/tensorflow/tf.js';
import { compare, type Side } from './compare.js';
import { authors, convolutions, kernelSets, threads } from './sides/convolutions.js';

const tolerance = 1e-5;

/**
 * σ of all convolutions of ResNet-18 (CIFAR), to 1e-5 with the bound that proves it, against code block 1 of the paper as the
 * authors have it (float32, no bound). Rounds alternate between two sets of kernels: see sides/convolutions.ts.
 */
export async function bench(): Promise<boolean> {
  process.env.WEIR_THREADS ??= String(threads);
  const runtime = await loadTensorFlow();
  const sets = kernelSets();
  const found: ExactSigma[][] = [];
  const ours: Side = {
    name: `Weir (TensorFlow ${runtime.version}, ${runtime.threads} threads)`,
    round(round) {
      const weights = sets[round % sets.length]!;
      const begun = performance.now();
      found[round % sets.length] = convolutions.map(({ kernel, stride, inputSize: [height, width] }) =>
        exactSigma(weight<tf.Tensor4D>(weights, kernel), { height, width, stride }, { tolerance }),
      );
      return (performance.now() - begun) / 1e3;
    },
  };
  const python = await authors(sets);
  let apart = 0;
  const peer: Side =
    python === undefined
      ? { name: 'no peer', round: () => Number.NaN }
      : {
          name: `the authors' code block 1 (${python.ready})`,
          async round(round) {
            const { seconds, sigmas } = await python.ask(`exact ${round % sets.length}`);
            (sigmas as number[]).forEach((theirs, i) => {
              const sigma = found[round % sets.length]?.[i]?.sigma ?? theirs;
              apart = Math.max(apart, Math.abs(theirs / sigma - 1));
            });
            return seconds;
          },
          close: python.close,
        };
  const measured = await compare({ name: 'exact-sigma', ours, peer, reach: 10, rounds: 4, warmUp: 1 });
  const bound = Math.max(...found.flat().map(({ sigma, bound }) => bound / sigma));
  console.log(
    `largest bound / sigma ${bound.toExponential(1)}; furthest from the authors' value ${apart.toExponential(1)}`,
  );
  console.log(`exact-sigma ratio ${measured.ratio.toFixed(2)} (reach 10.00)`);
  return measured.reached && bound <= tolerance * 1.001;
}
