import { mnist } from '../../src/data/datasets/mnist.js';
import { mlp } from '../../src/learn/model/mlp.js';
import { sgd } from '../../src/learn/optimizer/sgd.js';
import { ddn } from '../../src/measure/attack/ddn.js';
import { fmn } from '../../src/measure/attack/fmn.js';
import { tangentAttack } from '../../src/measure/attack/tangent-attack.js';
import { loadTensorFlow } from '../../src/tensorflow/tf.js';
import { attackedBy, compareDdn, meanDistance } from './sides/attacked.js';
import { type DigitTraining, digitsFolder, shortTraining, trainedOnDigits } from './sides/on-mnist.js';

const threads = 2;
const count = 100;
/** Digits of the Tangent Attack, whose T = 40 takes a hundred times as long. */
const few = 30;

/** A wide network, trained, and a small one after an epoch at a low rate: its logits are small, so its softmax is flat. */
const networks: readonly { name: string; width: number; activation: 'gelu' | 'relu'; training: DigitTraining }[] = [
  {
    name: 'ddn-mlp weak',
    width: 16,
    activation: 'relu',
    training: { ...shortTraining, optimizer: sgd({ rate: 0.1, momentum: 0.9 }), epochs: 1 },
  },
  { name: 'ddn-mlp', width: 2000, activation: 'gelu', training: shortTraining },
];

/**
 * DDN on the first 100 test digits that an MLP gets right, none left out: ours by default (100 steps, then the boundary), against 1,000
 * steps of foolbox and of adv-lib, on the same weights and digits, in one batch, clipped alike, values not quantized. Reached where ours
 * takes half of the time and its mean distance is at most 0.5 % longer, on a wide trained network and on a small weak one.
 *
 * `ddn-mlp alike` gives ours 1,000 steps too. Last come the mean distances of FMN, and of the Tangent Attack beside DDN, on the wide one.
 */
export async function bench([how]: string[] = []): Promise<boolean> {
  process.env.WEIR_THREADS ??= String(threads);
  const runtime = await loadTensorFlow();
  const { train, test } = mnist({ data: digitsFolder() });
  const iterations = how === 'alike' ? 1000 : 100;
  const options = { samples: count, seed: 0, shuffle: false };
  let reached = true;
  for (const { name, width, activation, training } of networks) {
    const model = mlp([784, width, 10], { activation });
    const weights = trainedOnDigits(model, train, training);
    const attack = () => attackedBy(ddn(model, test, { ...options, iterations }), weights);
    console.log(`784-${width}-10, ${activation}:`);
    const here = await compareDdn({
      name,
      model,
      weights,
      network: activation === 'relu' ? `${width}-relu` : String(width),
      samples: attack(),
      threads,
      steps: 1000,
      reach: 2,
      longest: 1.005,
      runtime: `${iterations} steps, TensorFlow ${runtime.version}, ${runtime.threads} threads`,
      attack,
    });
    reached &&= here;
    if (name !== 'ddn-mlp') continue;
    const others = meanDistance(attackedBy(fmn(model, test, options), weights));
    console.log(`FMN, 100 steps, on the ${count} digits: mean distance ${others.toFixed(4)}`);
    const [walked, seen] = [tangentAttack, ddn].map((make) =>
      meanDistance(attackedBy(make(model, test, { ...options, samples: few }), weights)),
    ) as [number, number];
    console.log(
      `Tangent Attack, T = 40, on ${few} of them: mean distance ${walked.toFixed(4)}, DDN ${seen.toFixed(4)}: ${(100 * (walked / seen - 1)).toFixed(1)} % above`,
    );
  }
  return reached;
}
