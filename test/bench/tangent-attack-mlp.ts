import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dataset } from '../../src/data/dataset.js';
import { mnist } from '../../src/data/datasets/mnist.js';
import { mlp } from '../../src/learn/model/mlp.js';
import type { Model, Weights } from '../../src/learn/model/model.js';
import type { Update } from '../../src/learn/update.js';
import type { AttackResult } from '../../src/measure/attack/record.js';
import { tangentAttack } from '../../src/measure/attack/tangent-attack.js';
import { type LabeledSamples, writeInput } from '../../src/measure/inputs.js';
import { loadTensorFlow, tf } from '../../src/tensorflow/tf.js';
import { compare, pythonPeer, type Side } from './compare.js';
import { digitsFolder, trainedOnDigits } from './sides/on-mnist.js';

const threads = 2;
const count = 16;
const width = 2000;

/**
 * The Tangent Attack on 16 digits against the authors' batched code in PyTorch: the same weights, samples, T = 40, start and
 * schedule of evaluations, each side with its own noise.
 *
 * Samples are test digits that both get right and that noise alone flips at least half of the time: for a digit that it
 * never does, the authors' code makes 5000 forward passes one after the other, which would be to our advantage.
 */
export async function bench(): Promise<boolean> {
  process.env.WEIR_THREADS ??= String(threads);
  const runtime = await loadTensorFlow();
  const { train, test } = mnist({ data: digitsFolder() });
  const model = mlp([784, width, 10]);
  const weights = trainedOnDigits(model, train);
  const chosen = easyToStart(model, weights, test);

  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-'));
  const file = join(folder, 'weights.f32');
  const parts = [...[...weights.values()].map((tensor) => tensor.dataSync() as Float32Array), chosen.values];
  writeFileSync(file, Buffer.concat(parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength))));

  const reference = process.env.WEIR_REFERENCE;
  if (!reference) console.log('WEIR_REFERENCE is not set: name a checkout of Pehlevan-Group/rep-spectral');
  const python = reference
    ? await pythonPeer('tangent_attack.py', [reference, file, width, count, threads].map(String))
    : undefined;
  rmSync(folder, { recursive: true });

  const distances: Record<'ours' | 'peer', number[]> = { ours: [], peer: [] };
  const ours: Side = {
    name: `Weir (TensorFlow ${runtime.version}, ${runtime.threads} threads)`,
    round(round) {
      const begin = performance.now();
      const results = attacked(model, weights, chosen, count, round);
      distances.ours.push(mean(results.map(({ distance }) => distance)));
      return (performance.now() - begin) / 1e3;
    },
    close: () => console.log(distanceLine()),
  };
  const peer: Side = python
    ? {
        name: `authors' code (${python.ready})`,
        async round(round) {
          const answer = await python.ask(String(round));
          distances.peer.push(mean(answer.distances as number[]));
          return answer.seconds;
        },
        close: python.close,
      }
    : { name: 'no peer', round: () => Number.NaN };

  const rounds = Number(process.env.WEIR_ROUNDS ?? 5);
  const work = { amount: count, unit: 'samples' };
  const { reached } = await compare({ name: 'tangent-attack-mlp', ours, peer, reach: 2, rounds, warmUp: 1, work });
  return reached && Math.abs(mean(distances.ours) / mean(distances.peer) - 1) <= 0.01;

  function distanceLine(): string {
    const [a, b] = [mean(distances.ours), mean(distances.peer)];
    const error = Math.hypot(standardError(distances.ours), standardError(distances.peer));
    return `mean distance ${a.toFixed(4)} against ${b.toFixed(4)}: ${(100 * (a / b - 1)).toFixed(2)} % (standard error ${((100 * error) / b).toFixed(2)} %)`;
  }
}

/** The first digits of the test set that need no long search for a start. */
function easyToStart(model: Model, weights: Weights, test: Dataset): LabeledSamples {
  const values = new Float32Array(count * 784);
  const labels = new Uint8Array(count);
  let found = 0;
  for (let index = 0; found < count; index++) {
    const x = new Float32Array(784);
    writeInput(test, index, x, 0);
    const label = test.labels[index]!;
    const [predicted, flipped] = tf.tidy(() => {
      const clean = model
        .logits(weights, tf.tensor2d(x, [1, 784]))
        .argMax(1)
        .dataSync()[0]!;
      const noisy = tf.clipByValue(tf.add(tf.randomNormal([64, 784], 0, 0.5, 'float32', index), x), 0, 1);
      const answers = [...model.logits(weights, noisy).argMax(1).dataSync()];
      return [clean, answers.filter((answer) => answer !== clean).length] as const;
    });
    if (predicted !== label || flipped < 32) continue;
    values.set(x, found * 784);
    labels[found++] = label;
  }
  return { name: 'digits', size: count, sampleShape: [784], values, labels };
}

function attacked(model: Model, weights: Weights, samples: LabeledSamples, n: number, seed: number): AttackResult[] {
  const stage = tangentAttack(model, samples, { samples: n, seed, protocol: 'authors', shuffle: false });
  const update = { position: 0, number: 0, epoch: 1, endsEpoch: true, weights } as unknown as Update;
  const results: AttackResult[] = [];
  for (const step of stage.next(stage.start(), update) as Iterable<readonly [unknown, AttackResult?]>) {
    if (step[1]) results.push(step[1]);
  }
  if (results.some(({ outcome }) => outcome !== 'found')) throw new Error('an attack found nothing');
  return results;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function standardError(values: readonly number[]): number {
  const average = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - average) ** 2)) / (values.length - 1));
}
