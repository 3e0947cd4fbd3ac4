import { mnist } from '../../src/data/datasets/mnist.js';
import type { ActivationName } from '../../src/learn/model/activation.js';
import { mlp } from '../../src/learn/model/mlp.js';
import { ddn } from '../../src/measure/attack/ddn.js';
import { groupRadii } from '../../src/measure/certificate/group-radii.js';
import { loadTensorFlow, tf } from '../../src/tensorflow/tf.js';
import { inFloat64 } from '../measure/certificate/in-float64.js';
import { machine, median } from './compare.js';
import { attackedBy } from './sides/attacked.js';
import { digitsFolder, shortTraining, trainedOnDigits } from './sides/on-mnist.js';

const kinds: readonly [ActivationName, readonly number[]][] = [
  ['relu', [64]],
  ['gelu', [64]],
];
const GROUP = 100;

/**
 * How often a proved lower bound (plain CROWN, as `certificate: 'crown'` has it) lies above a verified upper one (DDN), over 500 test digits of
 * each of 20 networks. In float64 each upper bound's point is classified again and its distance computed again, and each lower bound's
 * inequality is checked again. Reached where no lower bound lies above an upper one, and both sides hold in float64. The ratio is the
 * smallest upper/lower of all.
 *
 * @param options how many seeds of each kind of network (10), and digits (500)
 */
export async function bench([seeds = '10', digits = '500']: string[] = []): Promise<boolean> {
  process.env.WEIR_THREADS ??= '2';
  const runtime = await loadTensorFlow();
  console.log(`${machine()}, TensorFlow ${runtime.version}`);
  const { train, test } = mnist({ data: digitsFolder() });
  const ratios: number[] = [];
  const wrong = { above: 0, 'same class': 0, unproved: 0 };
  let unflipped = 0;
  for (let seed = 0; seed < Number(seeds); seed++) {
    for (const [activation, hidden] of kinds) {
      const model = mlp([784, ...hidden, 10], { activation });
      const weights = trainedOnDigits(model, train, { ...shortTraining, epochs: 1, seed });
      const { classOf, leastMargin } = inFloat64(model, weights);
      const attack = ddn(model, test, { samples: Number(digits), seed, group: GROUP });
      const results = attackedBy(attack, weights);
      const radiiOf = groupRadii(model, weights, GROUP)!;
      for (let from = 0; from < results.length; from += GROUP) {
        const group = results.slice(from, from + GROUP);
        const radii = radiiOf(
          group.map(({ original: x, label, distance }, slot) => ({ slot, x, label, guess: distance / 2 })),
        );
        for (const [i, { label, original, adversarial, outcome }] of group.entries()) {
          const lower = radii[i]!;
          if (!(leastMargin(original, label, lower) >= 0)) wrong.unproved++;
          if (outcome !== 'found') unflipped++;
          else {
            const upper = Math.sqrt(adversarial.reduce((sum, value, k) => sum + (value - original[k]!) ** 2, 0));
            if (classOf(adversarial) === label) wrong['same class']++;
            if (lower > upper) wrong.above++;
            ratios.push(upper / lower);
          }
        }
      }
      tf.dispose([...weights.values()]);
    }
  }
  const said = Object.entries(wrong).map(([what, count]) => `${what} ${count}`);
  console.log(
    `${ratios.length} digits with both sides, ${unflipped} without an upper one; ${said.join(', ')}; upper/lower: median ${median(ratios).toFixed(3)}`,
  );
  const least = Math.min(...ratios);
  console.log(`bounds-order ratio ${least.toFixed(2)} (reach 1.00)`);
  return ratios.length > 0 && least >= 1 && Object.values(wrong).every((count) => count === 0);
}
