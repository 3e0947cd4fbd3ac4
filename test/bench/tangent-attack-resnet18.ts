import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cifar10Statistics } from '../../src/data/augment/recipes.js';
import type { Dataset } from '../../src/data/dataset.js';
import { crossEntropy } from '../../src/learn/loss/cross-entropy.js';
import type { Model, Weights } from '../../src/learn/model/model.js';
import { resnet } from '../../src/learn/model/resnet/resnet.js';
import { sgd } from '../../src/learn/optimizer/sgd.js';
import { trainStage } from '../../src/learn/train.js';
import type { Update } from '../../src/learn/update.js';
import type { AttackResult } from '../../src/measure/attack/record.js';
import { tangentAttack } from '../../src/measure/attack/tangent-attack.js';
import { type LabeledSamples, writeInput } from '../../src/measure/inputs.js';
import { loadTensorFlow, tf } from '../../src/tensorflow/tf.js';
import { compare, pythonPeer, type Side } from './compare.js';
import { realImages, trainOn } from './sides/on-cifar10.js';

const threads = 2;
const count = 4;
const iterations = 3;
const updates = 40;
const size = 3072;
const box = { min: -3, max: 3 };

/**
 * The Tangent Attack on ResNet-18 with circular padding, T = 3, against the authors' code and network in PyTorch: the same weights,
 * images, start and schedule of evaluations. What is compared is the time a forward evaluation, each side counting its own.
 *
 * The network is trained for a few updates on real images; the images are ones that noise alone flips at least half of the
 * time: for others the authors' code makes thousands of forward passes of one image, which would be to our advantage.
 */
export async function bench(): Promise<boolean> {
  process.env.WEIR_THREADS ??= String(threads);
  const runtime = await loadTensorFlow();
  const reference = process.env.WEIR_REFERENCE;
  const data = realImages();
  if (data === undefined) return false;
  const model = resnet({ depth: 18, stem: 'cifar', classes: 10, inputSize: [32, 32] });
  const stage = trainStage(model, { loss: crossEntropy(), optimizer: sgd({ rate: 0.05, momentum: 0.9 }), seed: 0 });
  const { weights, loss } = trainOn(data, stage, updates);
  console.log(`trained ${updates} updates, loss ${loss.dataSync()[0]!.toFixed(3)}`);
  const chosen = easyToStart(model, weights, data);

  if (!reference) console.log('WEIR_REFERENCE is not set: name a checkout of Pehlevan-Group/rep-spectral');
  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-'));
  const files = [[...weights.values()].map((tensor) => tensor.dataSync() as Float32Array), [chosen.values]].map(
    (parts, i) => {
      const path = join(folder, `${i}.f32`);
      writeFileSync(
        path,
        Buffer.concat(parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength))),
      );
      return path;
    },
  );
  const python = reference
    ? await pythonPeer('tangent_attack_resnet18.py', [reference, ...files, count, iterations, threads].map(String))
    : undefined;
  rmSync(folder, { recursive: true });

  const seen: Record<'ours' | 'peer', { distance: number[]; queries: number[] }> = {
    ours: { distance: [], queries: [] },
    peer: { distance: [], queries: [] },
  };
  const note = (side: 'ours' | 'peer', distances: readonly number[], queries: number, seconds: number): number => {
    seen[side].distance.push(mean(distances));
    seen[side].queries.push(queries);
    return seconds / queries;
  };
  const ours: Side = {
    name: `Weir (TensorFlow ${runtime.version}, ${runtime.threads} threads)`,
    round(round) {
      const begin = performance.now();
      const results = attacked(model, weights, chosen, round);
      const seconds = (performance.now() - begin) / 1e3;
      const queries = results.reduce((sum, { queries }) => sum + queries, 0);
      return note('ours', results.map(({ distance }) => distance), queries, seconds); // biome-ignore format: one idea
    },
    close() {
      for (const [name, { distance, queries }] of Object.entries(seen)) {
        console.log(
          `${name}: mean distance ${mean(distance).toFixed(3)}, ${mean(queries).toFixed(0)} evaluations a round`,
        );
      }
    },
  };
  const peer: Side = python
    ? {
        name: `authors' code (${python.ready})`,
        async round(round) {
          const { seconds, queries, distances } = await python.ask(String(round));
          return note('peer', distances as number[], queries as number, seconds);
        },
        close: python.close,
      }
    : { name: 'no peer', round: () => Number.NaN };

  const rounds = Number(process.env.WEIR_ROUNDS ?? 5);
  const work = { amount: 1, unit: 'evaluations' };
  return (await compare({ name: 'tangent-attack-resnet18', ours, peer, reach: 1, rounds, warmUp: 1, work })).reached;
}

/** The first images that the network gets right and that N(0, 0.5²) flips at least half of the time. */
function easyToStart(
  model: Model,
  weights: Weights,
  data: Dataset,
): LabeledSamples & { readonly values: Float32Array } {
  const values = new Float32Array(count * size);
  const labels = new Uint8Array(count);
  let found = 0;
  for (let index = 0; found < count && index < data.size; index++) {
    const x = new Float32Array(size);
    writeInput(data, index, x, 0, cifar10Statistics);
    const predictions = tf.tidy(() => {
      const clean = tf.tensor2d(x, [1, size]);
      const noisy = tf.clipByValue(
        tf.add(tf.randomNormal([31, size], 0, 0.5, 'float32', index), clean),
        box.min,
        box.max,
      );
      return [...tf.argMax(model.logits(weights, tf.concat([clean, noisy])), 1).dataSync()];
    });
    const label = data.labels[index]!;
    if (predictions[0] !== label || predictions.filter((one) => one !== label).length < 16) continue;
    values.set(x, found * size);
    labels[found++] = label;
  }
  if (found < count) throw new Error(`noise flips only ${found} images`);
  return { name: 'images', size: count, sampleShape: data.sampleShape, values, labels };
}

function attacked(model: Model, weights: Weights, samples: LabeledSamples, seed: number): AttackResult[] {
  const options = { samples: count, group: count, iterations, box, seed, protocol: 'authors', shuffle: false } as const;
  const stage = tangentAttack(model, samples, options);
  const update = { position: 0, number: 0, epoch: 1, endsEpoch: true, weights } as unknown as Update;
  const results: AttackResult[] = [];
  for (const step of stage.next(stage.start(), update) as Iterable<readonly [unknown, AttackResult?]>) {
    if (step[1]) results.push(step[1]);
  }
  if (results.length !== count || results.some(({ outcome }) => outcome !== 'found'))
    throw new Error('an attack found nothing');
  return results;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
