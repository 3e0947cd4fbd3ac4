import { setTimeout } from 'node:timers/promises';
import { type Weights, weight } from '../../src/learn/model/model.js';
import { exactSigma } from '../../src/learn/spectral/exact.js';
import { gramSigma } from '../../src/learn/spectral/gram.js';
import { loadTensorFlow, type tf } from '../../src/tensorflow/tf.js';
import { machine, median, spread } from './compare.js';
import { authors, convolutions, kernelSets, threads } from './sides/convolutions.js';

/** An estimator: σ of all layers of one of the sets of kernels, and the time that it took. */
interface Estimator {
  readonly name: string;
  estimate(set: number): Promise<{ readonly seconds: number; readonly sigmas: readonly number[] }>;
}

const rounds = Number(process.env.WEIR_ROUNDS ?? 4);
const pause = 250; // milliseconds: threads of a runtime spin after their work
const accurate = 1e-4; // of σ
const few = 6; // steps of Gram iteration, as a regularizer takes
const many = 17; // until its bound is within 1e-4 of σ at a rank of 512

const timed = (work: (weights: Weights) => number[]) => (weights: Weights) => {
  const begun = performance.now();
  const sigmas = work(weights);
  return { seconds: (performance.now() - begun) / 1e3, sigmas };
};

/**
 * Time and error of estimators of σ on all convolutions of ResNet-18 (CIFAR): exact and by Gram iteration here, and in PyTorch by Gram
 * iteration, by the singular values of all blocks of the Fourier transform, and by the authors' code block 1. All alternate in one
 * run, on two sets of kernels. Last the ratio of the fastest in PyTorch within 1e-4 of σ over the exact one here.
 */
export async function bench(): Promise<boolean> {
  process.env.WEIR_THREADS ??= String(threads);
  const runtime = await loadTensorFlow();
  const sets = kernelSets();
  const exact = (weights: Weights): number[] =>
    convolutions.map(({ kernel, stride, inputSize: [height, width] }) => {
      const grid = { height, width, stride };
      return exactSigma(weight<tf.Tensor4D>(weights, kernel), grid, { tolerance: accurate }).sigma;
    });
  const gram = (steps: number) => (weights: Weights) =>
    convolutions.map((layer) => gramSigma(layer, weights, steps).sigma);
  const ours = (name: string, work: (weights: Weights) => number[]): Estimator => ({
    name: `Weir, ${name}`,
    estimate: async (set) => timed(work)(sets[set]!),
  });
  const python = await authors(sets);
  if (python === undefined) return false;
  const theirs = (name: string, command: string, ...more: number[]): Estimator => ({
    name: `PyTorch, ${name}`,
    async estimate(set) {
      const { seconds, sigmas } = await python.ask([command, set, ...more].join(' '));
      return { seconds, sigmas: sigmas as number[] };
    },
  });
  const reference = ours('exact, proved', exact);
  const inPyTorch = [
    theirs(`Gram iteration, ${few} steps`, 'gram', few),
    theirs(`Gram iteration, ${many} steps`, 'gram', many),
    theirs('singular values of the Fourier transform', 'fft'),
    theirs("the authors' code block 1", 'exact'),
  ];
  const ourGram = ours(`Gram iteration, ${few} steps`, gram(few));
  const all = [reference, ourGram, ours(`Gram iteration, ${many} steps`, gram(many)), ...inPyTorch];

  console.log(machine());
  console.log(
    `Weir on TensorFlow ${runtime.version}, ${runtime.threads} threads; ${python.ready}; ${rounds} rounds in turns`,
  );
  const known = sets.map((weights) =>
    convolutions.map(({ kernel, stride, inputSize: [height, width] }) => {
      const grid = { height, width, stride };
      return exactSigma(weight<tf.Tensor4D>(weights, kernel), grid, { tolerance: 1e-6 }).sigma;
    }),
  );
  const found = new Map(all.map((one) => [one, { seconds: [] as number[], above: 0, below: 0 }]));
  for (let round = -1; round < rounds; round++) {
    const set = (round + 1) % sets.length;
    for (const one of round % 2 === 0 ? all : [...all].reverse()) {
      await setTimeout(pause);
      const { seconds, sigmas } = await one.estimate(set);
      const seen = found.get(one)!;
      if (round < 0) console.log(`${one.name}: ${seconds.toFixed(2)} s in the first round`);
      if (round >= 0) seen.seconds.push(seconds);
      for (const [i, sigma] of sigmas.entries()) {
        seen.above = Math.max(seen.above, sigma / known[set]![i]! - 1);
        seen.below = Math.max(seen.below, 1 - sigma / known[set]![i]!);
      }
    }
  }
  python.close();
  const timeOf = (one: Estimator): number => median(found.get(one)!.seconds);
  for (const [{ name }, { seconds, above, below }] of found) {
    const error = `${above.toExponential(1)} above, ${below.toExponential(1)} below σ at most`;
    console.log(`${name}: median ${median(seconds).toFixed(3)} s, ${spread(seconds, (x) => x.toFixed(3))}; ${error}`);
  }
  const within = inPyTorch.filter((one) => Math.max(found.get(one)!.above, found.get(one)!.below) <= 2 * accurate);
  const fastest = within.reduce((best, one) => (timeOf(one) < timeOf(best) ? one : best), within[0]!);
  const ratio = timeOf(fastest) / timeOf(reference);
  console.log(
    `${few} steps of Gram iteration: PyTorch ${(timeOf(inPyTorch[0]!) / timeOf(ourGram)).toFixed(2)} times as long as Weir`,
  );
  console.log(`the fastest in PyTorch within ${2 * accurate} of σ: ${fastest.name}`);
  console.log(`sigma-estimators ratio ${ratio.toFixed(2)} (reach 2.00)`);
  return ratio >= 2;
}
