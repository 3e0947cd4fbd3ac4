import { mnist } from '../../src/data/datasets/mnist.js';
import { mlp } from '../../src/learn/model/mlp.js';
import { ddn } from '../../src/measure/attack/ddn.js';
import type { AttackResult } from '../../src/measure/attack/record.js';
import { tangentAttack } from '../../src/measure/attack/tangent-attack.js';
import { loadTensorFlow } from '../../src/tensorflow/tf.js';
import { compare, median, type Side } from './compare.js';
import { attackedBy, mean } from './sides/attacked.js';
import { digitsFolder, trainedOnDigits } from './sides/on-mnist.js';

/**
 * Both sides of the adversarial distance, DDN above and plain CROWN below, of the first test digits that an MLP 784-2000-10 (GELU) gets right,
 * against our own Tangent Attack (T = 40) on the same digits, which is an upper bound alone. Reached where both sides take a fifth of its time
 * and no lower bound lies above an upper one.
 *
 * @param options how many digits (100), and hidden units (2000)
 */
export async function bench([digits = '100', hidden = '2000']: string[] = []): Promise<boolean> {
  process.env.WEIR_THREADS ??= '2';
  const runtime = await loadTensorFlow();
  const { train, test } = mnist({ data: digitsFolder() });
  const model = mlp([784, Number(hidden), 10]);
  const weights = trainedOnDigits(model, train);
  const options = { samples: Number(digits), seed: 0, shuffle: false };
  let [bounded, walked]: AttackResult[][] = [[], []];
  const timed = (name: string, work: () => void): Side => ({
    name: `${name} (TensorFlow ${runtime.version}, ${runtime.threads} threads)`,
    round() {
      const begun = performance.now();
      work();
      return (performance.now() - begun) / 1e3;
    },
  });
  const ours = timed('DDN and plain CROWN', () => {
    bounded = attackedBy(ddn(model, test, { ...options, certificate: 'crown' }), weights);
  });
  const peer = timed('Tangent Attack, T = 40', () => {
    walked = attackedBy(tangentAttack(model, test, options), weights);
  });
  const { ratio, reached } = await compare({
    name: 'both-sides',
    ours,
    peer,
    reach: 5,
    rounds: Number(process.env.WEIR_ROUNDS ?? 3),
    warmUp: 1,
    work: { amount: Number(digits), unit: 'digits' },
  });
  const ratios = (upper: readonly AttackResult[]): number[] =>
    bounded!.map(({ lower }, i) => upper[i]!.distance / lower!).filter(Number.isFinite);
  const above = [bounded!, walked!].map((upper) => ratios(upper).filter((one) => one < 1).length);
  const byCrown = bounded!.filter(({ method }) => method === 'crown').length;
  console.log(
    `median upper/lower ${median(ratios(bounded!)).toFixed(3)} by DDN, ${median(ratios(walked!)).toFixed(3)} by the Tangent Attack; lower above upper: ${above.join(' and ')} of ${ratios(bounded!).length}; ${byCrown} by CROWN, the others by Lemma 1`,
  );
  console.log(
    `mean distance ${mean(bounded!.map(({ distance }) => distance)).toFixed(4)} by DDN, ${mean(walked!.map(({ distance }) => distance)).toFixed(4)} by the Tangent Attack`,
  );
  console.log(`both-sides ratio ${ratio.toFixed(2)} (reach 5.00)`);
  return reached && above.every((count) => count === 0);
}
