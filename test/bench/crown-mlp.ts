import type { Dataset } from '../../src/data/dataset.js';
import { mnist } from '../../src/data/datasets/mnist.js';
import type { StageOperator } from '../../src/flow/stage.js';
import type { ActivationName } from '../../src/learn/model/activation.js';
import { mlp } from '../../src/learn/model/mlp.js';
import { type Model, uniform, type Weights } from '../../src/learn/model/model.js';
import { adam } from '../../src/learn/optimizer/adam.js';
import type { Update } from '../../src/learn/update.js';
import type { AttackedUpdate, AttackState } from '../../src/measure/attack/attack.js';
import { ddn } from '../../src/measure/attack/ddn.js';
import { deepFool } from '../../src/measure/attack/deepfool.js';
import { fmn } from '../../src/measure/attack/fmn.js';
import type { AttackResult } from '../../src/measure/attack/record.js';
import { tangentAttack } from '../../src/measure/attack/tangent-attack.js';
import { type CertifierOptions, certifier } from '../../src/measure/certificate/certificate.js';
import { type LabeledSamples, writeInput } from '../../src/measure/inputs.js';
import { correctOnes } from '../../src/measure/predictions.js';
import { loadTensorFlow } from '../../src/tensorflow/tf.js';
import { machine, median } from './compare.js';
import { digitsFolder, trainedOnDigits } from './sides/on-mnist.js';

/** Median upper over lower bound, and processor seconds a digit. */
const reach = { ratio: 1.3, seconds: 1 };

/**
 * Both sides of the adversarial distance in ℓ2: MNIST, one hidden layer of 200 units, Adam, one epoch. Below are Lemma 1, CROWN, and
 * CROWN with multipliers; above the nearest point that any of the attacks found.
 *
 * @param options the activation (relu) and how many digits (40), the first that the network gets right
 */
export async function bench([activation = 'relu', digits = '40', hidden = '200']: string[]): Promise<boolean> {
  process.env.WEIR_THREADS ??= '1';
  await loadTensorFlow();
  console.log(machine());
  const { train, test } = mnist({ data: digitsFolder() });
  const model = mlp([784, Number(hidden), 10], {
    activation: activation as ActivationName,
    scale: 'none',
    initialization: uniform(),
  });
  const weights = trainedOnDigits(model, train, { optimizer: adam({ rate: 1e-3 }), epochs: 1, batchSize: 128 });
  const samples = correct(model, weights, test, Number(digits));
  const upper = nearest(model, weights, samples);

  const of = (name: string, options: CertifierOptions): { name: string; ratio: number; seconds: number } => {
    const certify = certifier('bench', model, { local: [], ...options })(weights);
    const found = Array.from({ length: samples.size }, (_, i) => {
      const x = samples.values.slice(784 * i, 784 * (i + 1)) as Float32Array;
      const begun = process.cpuUsage();
      const { lower } = certify(x, samples.labels[i]!, i);
      const { user, system } = process.cpuUsage(begun);
      if (lower.l2 > upper[i]!) throw new Error(`digit ${i}: ${name} proves ${lower.l2}, an attack found ${upper[i]}`);
      return { ratio: upper[i]! / lower.l2, seconds: (user + system) / 1e6 };
    });
    const [ratio, seconds] = [median(found.map(({ ratio }) => ratio)), median(found.map(({ seconds }) => seconds))];
    const longest = Math.max(...found.map(({ seconds }) => seconds));
    console.log(
      `${name}: median upper/lower ${ratio.toFixed(3)}, ${seconds.toFixed(3)} s a digit by the processor (longest ${longest.toFixed(2)})`,
    );
    return { name, ratio, seconds };
  };
  of('Lemma 1', { methods: [] });
  of('CROWN', { methods: ['crown'] });
  const { ratio, seconds } = of('CROWN with multipliers', { methods: ['sdp'] });
  const reached = ratio <= reach.ratio && seconds <= reach.seconds;
  console.log(`crown-mlp ratio ${ratio.toFixed(2)} (reach ${reach.ratio.toFixed(2)}, at most)`);
  return reached;
}

/** The first digits that the network gets right. */
function correct(model: Model, weights: Weights, test: Dataset, count: number): LabeledSamples {
  const order = Uint32Array.from({ length: test.size }, (_, i) => i);
  const chosen = correctOnes(model, weights, test, order, 0).slice(0, count);
  const values = new Float32Array(chosen.length * 784);
  chosen.forEach((index, i) => {
    writeInput(test, index, values, 784 * i);
  });
  const labels = Uint8Array.from(chosen, (index) => test.labels[index]!);
  return { name: 'digits', size: chosen.length, sampleShape: [784], values, labels };
}

/** The distance of the nearest adversarial point of each digit, pixels from 0 to 1. */
function nearest(model: Model, weights: Weights, samples: LabeledSamples): Float64Array {
  const upper = new Float64Array(samples.size).fill(Number.POSITIVE_INFINITY);
  const take = (name: string, distances: ArrayLike<number>): void => {
    const before = median([...upper]);
    for (let i = 0; i < upper.length; i++) if (distances[i]! < upper[i]!) upper[i] = distances[i]!;
    console.log(
      `${name}: median ${median(Array.from(distances)).toFixed(4)}; nearest so far ${median([...upper]).toFixed(4)} (${before.toFixed(4)})`,
    );
  };
  const options = { samples: samples.size, seed: 0, shuffle: false } as const;
  const steps = { ...options, iterations: 1000 };
  take('DeepFool', distancesOf(deepFool(model, samples, options), weights, samples.size));
  take('Tangent Attack', distancesOf(tangentAttack(model, samples, options), weights, samples.size));
  take('DDN', distancesOf(ddn(model, samples, steps), weights, samples.size));
  take('FMN', distancesOf(fmn(model, samples, steps), weights, samples.size));
  return upper;
}

function distancesOf<S>(
  { start, next }: StageOperator<AttackedUpdate, AttackResult, AttackState<S>>,
  weights: Weights,
  count: number,
): Float64Array {
  const distances = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  const update = { position: 0, number: 0, epoch: 1, endsEpoch: true, weights } as unknown as Update;
  for (const step of next(start(), update) as Iterable<readonly [unknown, AttackResult?]>) {
    if (step[1] && Number.isFinite(step[1].distance)) distances[step[1].index] = step[1].distance;
  }
  return distances;
}
