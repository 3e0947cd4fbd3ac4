import { rmSync } from 'node:fs';
import { mnist } from '../../src/data/datasets/mnist.js';
import { mlp } from '../../src/learn/model/mlp.js';
import { cgba } from '../../src/measure/attack/cgba.js';
import { ddn } from '../../src/measure/attack/ddn.js';
import { hopSkipJump } from '../../src/measure/attack/hop-skip-jump.js';
import type { AttackResult } from '../../src/measure/attack/record.js';
import { tangentAttack } from '../../src/measure/attack/tangent-attack.js';
import { loadTensorFlow } from '../../src/tensorflow/tf.js';
import { machine, pythonPeer } from './compare.js';
import { attackedBy, handedOver, mean } from './sides/attacked.js';
import { digitsFolder, trainedOnDigits } from './sides/on-mnist.js';

const threads = 2;
const width = 2000;
const count = 100;
const budget = 7500;
/** Steps of foolbox's HopSkipJump that come nearest to the budget. */
const steps = 22;
const reach = 1;

/**
 * Mean Δx of CGBA at 7,500 queries against the Tangent Attack at T = 40 (about 20,000), on the first 100 test digits that an MLP gets right,
 * none left out. The ratio is the Tangent Attack's mean over CGBA's: reached where CGBA is as near with less than half of the queries.
 *
 * Beside them DDN as the floor, HopSkipJump at 7,500 queries, and that of foolbox. `cgba-mlp 4` takes CGBA's noise at a reduction of 4.
 */
export async function bench([reduction]: string[] = []): Promise<boolean> {
  process.env.WEIR_THREADS ??= String(threads);
  const runtime = await loadTensorFlow();
  const { train, test } = mnist({ data: digitsFolder() });
  const model = mlp([784, width, 10]);
  const weights = trainedOnDigits(model, train);
  const options = { samples: count, seed: 0, shuffle: false };
  console.log(machine());
  console.log(`TensorFlow ${runtime.version}, ${runtime.threads} threads`);

  const lasted = (name: string, stage: Parameters<typeof attackedBy>[0]): AttackResult[] => {
    const begin = performance.now();
    const results = attackedBy(stage, weights);
    const seconds = (performance.now() - begin) / 1e3;
    const queries = mean(results.map((one) => one.queries));
    print(name, distancesOf(results), queries, seconds);
    return results;
  };
  const floor = lasted('DDN', ddn(model, test, options));
  const factor = reduction === undefined ? {} : { reduction: Number(reduction) };
  const curved = lasted('CGBA', cgba(model, test, { ...options, budget, ...factor }));
  const walked = lasted('Tangent Attack', tangentAttack(model, test, options));
  lasted('HopSkipJump', hopSkipJump(model, test, { ...options, budget }));

  const { folder, files } = handedOver(weights, floor);
  const peer = await pythonPeer('hop_skip_jump.py', [width, ...files, count, threads].map(String));
  try {
    const answer = await peer?.ask(String(steps));
    if (answer?.missing !== undefined) console.log(`foolbox: ${answer.missing}`);
    else if (answer !== undefined) {
      const found = answer.adversarial as boolean[];
      const away = (answer.distances as number[]).map((distance, i) => (found[i] ? distance : Number.NaN));
      print(`HopSkipJump of foolbox, ${steps} steps`, away, answer.queries as number, answer.seconds);
    }
  } finally {
    peer?.close();
    rmSync(folder, { recursive: true });
  }

  const [theirs, ours] = [walked, curved].map((results) => mean(distancesOf(results))) as [number, number];
  const ratio = theirs / ours;
  console.log(`cgba-mlp ratio ${ratio.toFixed(2)} (reach ${reach.toFixed(2)})`);
  return ratio >= reach;
}

/** The distance of every sample; NaN where an attack has no point, and so for its mean. */
const distancesOf = (results: readonly AttackResult[]): number[] => results.map(({ distance }) => distance);

function print(name: string, distances: readonly number[], queries: number, seconds: number): void {
  const all = `mean distance ${mean(distances).toFixed(4)} on ${distances.length} digits`;
  console.log(
    `${name}: ${all}, ${Math.round(queries)} queries and ${(seconds / distances.length).toFixed(2)} s a digit`,
  );
}
