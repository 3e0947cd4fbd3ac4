import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { gradientsOf } from '../../../src/learn/loss/gradients.js';
import { barlowTwins, ntXent } from '../../../src/learn/loss/views.js';
import { projected } from '../../../src/learn/model/head.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import type { Model, Weights } from '../../../src/learn/model/model.js';
import { resnet } from '../../../src/learn/model/resnet/resnet.js';
import { sgd } from '../../../src/learn/optimizer/sgd.js';
import { batchSpectralShrinkage } from '../../../src/learn/regularizer/batch-spectral-shrinkage.js';
import { spectralRegularizer } from '../../../src/learn/regularizer/spectral.js';
import { spectralTick } from '../../../src/learn/spectral/stages.js';
import { trainStage } from '../../../src/learn/train.js';
import { loadTensorFlow, type Runtime, tf } from '../../../src/tensorflow/tf.js';
import { madeUpWeights, numbers } from '../model/random-weights.js';
import { twoViews, worst } from './batch.js';

let loaded: Runtime;
beforeAll(async () => {
  loaded = await loadTensorFlow();
});

/** What PyTorch makes of the same network, weights and views in float64. */
interface Case {
  readonly loss: 'barlow-twins' | 'nt-xent';
  readonly value: number;
  readonly correct?: number;
  /** Of each gradient its product with `numbers(500)`, and its length. */
  readonly gradients: Record<string, [product: number, length: number]>;
  /** First running statistics after the first update, by name. */
  readonly statistics: Record<string, number[]>;
  /** The loss at the second update. */
  readonly second: number;
  /** Φ of the first sample's first view after the second update, in evaluation mode. */
  readonly features: number[];
}
const { cases } = JSON.parse(readFileSync(new URL('torch-views.json', import.meta.url), 'utf8')) as { cases: Case[] };
const [samples, height, width] = [5, 9, 7];

const weightsOf = (model: Model): Weights =>
  madeUpWeights(model, (name) => {
    const head = /^projector(\d)/.exec(name)?.[1];
    return head === undefined ? undefined : (name.endsWith('bias') ? 700 : 600) + Number(head) - 1;
  });

/** The two views sample by sample, as a data set's stream has them. */
function imagesOf(): Float32Array {
  const size = height * width * 3;
  const views = [0, 1].map((v) => numbers(400 + v, samples * size));
  return Float32Array.from({ length: 2 * samples * size }, (_, i) => {
    const [sample, view] = [Math.floor(i / (2 * size)), Math.floor(i / size) % 2];
    return 3 * views[view]![sample * size + (i % size)]!;
  });
}

const backbone = () => resnet({ depth: 18, classes: 3, inputSize: [height, width], width: 4 });
const built = {
  'barlow-twins': () => projected(backbone(), { outputs: 6, bias: false }),
  'nt-xent': () => projected(backbone(), { hidden: [32], outputs: 6 }),
} as const;

describe.each(cases.map((one) => [one.loss, one] as const))('two views through a ResNet: %s', (name, one) => {
  test('loss, gradients, running statistics and the next update are those of PyTorch; no tensor stays', ({ skip }) => {
    if (loaded.kind !== 'native') skip('needs the native TensorFlow runtime');
    const model = built[name]();
    const weights = weightsOf(model);
    const loss = name === 'nt-xent' ? ntXent() : barlowTwins();
    const views = imagesOf();
    const x = tf.tidy(() => {
      const byView = tf.transpose(tf.tensor3d(views, [samples, 2, height * width * 3]), [1, 0, 2]);
      return tf.reshape(byView, [2 * samples, height, width, 3]);
    });
    const labels = tf.zeros([2 * samples], 'int32') as tf.Tensor1D;
    const before = tf.memory().numTensors;
    const learned = gradientsOf(model, loss, weights, x, labels);
    expect(tf.memory().numTensors - before).toBe(2 + weights.size);
    expect(Math.abs(learned.loss.dataSync()[0]! / one.value - 1)).toBeLessThan(1e-4);
    expect(learned.correct.dataSync()[0]).toBe(one.correct ?? Number.NaN);
    expect([...learned.gradients.keys()].sort()).toEqual(Object.keys(one.gradients).sort());
    for (const [name, [product, length]] of Object.entries(one.gradients)) {
      const found = Float64Array.from(learned.gradients.get(name)!.dataSync());
      const along = numbers(500, found.length).reduce((sum, v, i) => sum + v * found[i]!, 0);
      expect(Math.abs(along - product) / length, name).toBeLessThan(2e-3);
      expect(Math.abs(Math.hypot(...found) / length - 1), name).toBeLessThan(2e-3);
    }

    const optimizer = sgd({ rate: 0.002, momentum: 0.9, decay: 1e-3 });
    const stage = trainStage({ ...model, start: () => weightsOf(model) }, { loss, optimizer, seed: 0 });
    const [first, update] = stage.next(stage.start(), twoViews(views, [height, width, 3], 1));
    for (const [name, values] of Object.entries(one.statistics)) {
      expect(worst(update.weights.get(name)!.dataSync(), values), name).toBeLessThan(1e-4);
    }
    const [second, next] = stage.next(first, twoViews(views, [height, width, 3], 2));
    expect(Math.abs(next.loss() / one.second - 1)).toBeLessThan(2e-3);
    const features = model.features(next.weights, tf.slice(x, 0, 1)).dataSync();
    const scale = Math.max(...one.features);
    expect(worst(features, one.features) / scale).toBeLessThan(1e-2);
    stage.dispose(second);
  });
});

test('a projection head stands apart from the feature layers: a regularizer up to feature space never touches it', () => {
  const model = built['nt-xent']();
  const names = [...model.start(0).keys()];
  expect(names.slice(-4)).toEqual(['projector1/kernel', 'projector1/bias', 'projector2/kernel', 'projector2/bias']);
  expect(names.some((name) => name.startsWith('readout'))).toBe(false);
  expect(model.featureLayers).toEqual(backbone().featureLayers);
  expect(spectralRegularizer('rep-spectral', model, { gamma: 1, formulation: 'image' }).layers).toHaveLength(20);
  expect([...built['barlow-twins']().start(0).keys()].slice(-1)).toEqual(['projector1/kernel']);
  expect(() => projected(mlp([2, 3, 2]), { outputs: 4 })).toThrow('a projection head cannot be put on mlp 2-3-2 gelu');
  expect(() => projected(backbone(), { hidden: [0], outputs: 4 })).toThrow('a projection head of widths 0, 4');
});

test('samples that are not views are named with the shape that they should have', () => {
  const stage = trainStage(mlp([3, 4, 2]), { loss: barlowTwins(), optimizer: sgd({ rate: 0.1 }), seed: 1 });
  const batch = { ...twoViews(new Float32Array(24), [3]), sampleShape: [3] };
  expect(() => stage.next(stage.start(), batch)).toThrow(
    expect.objectContaining({
      message:
        "stage 'train' was handed samples of shape [3], but loss 'barlow-twins' compares 2 views of what mlp 3-4-2 gelu takes, [3]",
      remedy: 'give samples of shape [2, 3]: views of the data, one behind another',
    }),
  );
});

test('it learns with a regularizer, on features too; saved and loaded after any update it goes on to the same bits', () => {
  const model = mlp([6, 8, 4]);
  const batches = [1, 2, 3, 4, 5].map((number) => twoViews(Float32Array.from(numbers(number, 96)), [6], number));
  const run = (kind: 'spectral' | 'shrinkage', stops: readonly number[]) => {
    const begin = () => {
      const spectral = spectralRegularizer('rep-spectral', model, { gamma: 0.1, from: { epoch: 2 } });
      const regularizer = kind === 'spectral' ? spectral : batchSpectralShrinkage(model, { gamma: 0.1, smallest: 2 });
      const optimizer = sgd({ rate: 0.1, momentum: 0.9 });
      const tick = spectralTick(spectral);
      return { tick, stage: trainStage(model, { loss: barlowTwins(), regularizer, optimizer, seed: 3 }) };
    };
    let { stage, tick } = begin();
    let [state, spectrum] = [stage.start(), tick.start()];
    let before: number | undefined;
    for (const [i, batch] of batches.entries()) {
      const [next, update] = stage.next(state, batch);
      state = next;
      [spectrum] = tick.next(spectrum, update) as [typeof spectrum];
      expect(update.epochAccuracy()).toBeNull();
      if (i > 0) before ??= tf.memory().numTensors;
      if (!stops.includes(i)) continue;
      const saved = [stage.save(state), tick.save!(spectrum)] as const;
      stage.dispose(state);
      ({ stage, tick } = begin());
      spectrum = tick.start();
      state = stage.load(saved[0]);
      spectrum = tick.load!(saved[1]);
    }
    if (stops.length === 0) expect(tf.memory().numTensors).toBe(before);
    const weights = stage.save(state);
    stage.dispose(state);
    return weights;
  };
  for (const kind of ['spectral', 'shrinkage'] as const) expect(run(kind, [0, 1, 2, 3])).toEqual(run(kind, []));
  expect(run('spectral', [])).not.toEqual(run('shrinkage', []));
});
