import { lastValueFrom, of, toArray } from 'rxjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { xor } from '../../../src/data/datasets/synthetic.js';
import { WeirError } from '../../../src/flow/errors.js';
import { crossEntropy } from '../../../src/learn/loss/cross-entropy.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import { type Gradients, type Model, normal, type Weights } from '../../../src/learn/model/model.js';
import { sgd } from '../../../src/learn/optimizer/sgd.js';
import { type RegularizerKind, regularizer, regularizerKinds } from '../../../src/learn/regularizer/registry.js';
import type { Regularizer, RegularizerInput } from '../../../src/learn/regularizer/regularizer.js';
import { isSpectral } from '../../../src/learn/regularizer/spectral.js';
import { spectralTick } from '../../../src/learn/spectral/stages.js';
import { trainStage } from '../../../src/learn/train.js';
import type { Update } from '../../../src/learn/update.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';

beforeAll(() => loadTensorFlow());

const large = { initialization: normal(0.7) };
const options = { gamma: 3, smallest: 3, iterations: 60, seed: 2, start: () => mlp([5, 7, 6, 3]).start(9) };

/** Its gradient with respect to every weight, by whichever way it goes. */
function gradientsBy(one: Regularizer, model: Model, input: RegularizerInput): Gradients {
  const { features, logits, gradients } = model.pullback!(input.weights, input.x);
  const further = one.featuresGradient?.(features, input.labels);
  const none = tf.zerosLike(logits);
  const found = gradients(none, further);
  one.addGradients?.(input, found);
  one.addSampleGradients?.(input, found);
  tf.dispose([none, ...(further ? [further] : [])]);
  return found;
}

describe.each(regularizerKinds.filter((kind) => kind !== 'none'))('%s', (kind) => {
  test('its gradient is the slope of its value', () => {
    const model = mlp([5, 7, 6, 3], large);
    const weights = model.start(4);
    const x = tf.randomNormal([8, 5], 0, 1, 'float32', 5);
    const labels = tf.tensor1d([0, 1, 2, 0, 1, 2, 0, 1], 'int32');
    const one = regularizer(kind, model, options);
    if (isSpectral(one)) one.ticked = true;
    const valueAt = (at: Weights): number => one.value({ weights: at, x, labels, features: model.features(at, x) });
    const found = gradientsBy(one, model, { weights, x, labels });
    let moved = 0;
    for (const [name, gradient] of found) {
      const along = tf.randomNormal(gradient.shape, 0, 1, 'float32', 8);
      const by = (step: number): Weights =>
        new Map([...weights, [name, tf.add(weights.get(name)!, tf.mul(along, step))]]);
      const slope = tf.sum(tf.mul(gradient, along)).dataSync()[0]!;
      const difference = (valueAt(by(0.005)) - valueAt(by(-0.005))) / 0.01;
      expect(Math.abs(difference - slope), name).toBeLessThan(0.01 + 0.01 * Math.abs(slope));
      moved = Math.max(moved, Math.abs(slope));
    }
    expect(moved).toBeGreaterThan(0.05);
  });

  test('it leaves no tensors behind', () => {
    const model = mlp([5, 7, 6, 3], large);
    const input = { weights: model.start(4), x: tf.ones([6, 5]), labels: tf.tensor1d([0, 1, 2, 0, 1, 2], 'int32') };
    const features = model.features(input.weights, input.x);
    const one = regularizer(kind, model, options);
    if (isSpectral(one)) one.ticked = true;
    one.value({ ...input, features }); // what it keeps for good
    const before = tf.memory().numTensors;
    tf.dispose([...gradientsBy(one, model, input).values()]);
    one.value({ ...input, features });
    expect(tf.memory().numTensors).toBe(before);
  });

  test('it is on strictly after its burn-in, and never where γ = 0', () => {
    const model = mlp([2, 4, 2]);
    const on = regularizer(kind, model, { gamma: 1, from: { epoch: 160 } });
    expect([160, 161].map((epoch) => on.active(epoch))).toEqual([false, true]);
    expect(regularizer(kind, model, { gamma: 0 }).active(1)).toBe(false);
    expect(() => regularizer(kind, model, { gamma: -1 })).toThrow(`'${kind}' was given gamma = -1`);
  });

  test('training with it leaves its value lower', () => {
    const model = mlp([2, 6, 2], large);
    const points = xor({ noise: { perCorner: 2 } });
    const batch = {
      position: 8,
      epoch: 1,
      remaining: 0,
      sampleShape: [2],
      values: points.values as Float32Array,
      labels: points.labels,
    };
    const x = tf.tensor(points.values, [8, 2]);
    const labels = tf.tensor1d(Int32Array.from(points.labels), 'int32');
    const settings = { gamma: 1, beta: 1, start: () => model.start(1) };
    const valueAfter = (term?: Regularizer): number => {
      const train = trainStage(model, {
        loss: crossEntropy(),
        optimizer: sgd({ rate: 0.2 }),
        regularizer: term,
        seed: 0,
      });
      let state = train.start();
      for (let i = 0; i < 30; i++) [state] = train.next(state, batch);
      const { weights } = state;
      return regularizer(kind, model, settings).value({ weights, x, labels, features: model.features(weights, x) });
    };
    const term = regularizer(kind, model, settings);
    if (isSpectral(term)) term.ticked = true;
    expect(valueAfter(term)).toBeLessThan(0.9 * valueAfter());
  });
});

test('the spectral tick emits nothing with a regularizer that has no directions, and is in the graph all the same', async () => {
  const tick = (kind: RegularizerKind) => spectralTick(regularizer(kind, mlp([2, 4, 2]), { gamma: 1 }));
  const update = { position: 4, number: 1, epoch: 1, endsEpoch: true, weights: mlp([2, 4, 2]).start(0) };
  const passed = (kind: RegularizerKind) => lastValueFrom(of(update as unknown as Update).pipe(tick(kind), toArray()));
  expect(await passed('l2-sp')).toEqual([]);
  expect(await passed('rep-spectral')).toHaveLength(1);
});

test('none adds nothing', () => {
  const none = regularizer('none', mlp([2, 4, 2]), { gamma: 1 });
  expect(none.active(1)).toBe(false);
  expect(isSpectral(none)).toBe(true);
});

test('an unknown kind is refused, and the message names those there are', () => {
  const wrong = () => regularizer('l1' as RegularizerKind, mlp([2, 4, 2]), { gamma: 1 });
  expect(wrong).toThrow(WeirError);
  expect(wrong).toThrow("there is no regularizer 'l1'");
});

test.each(['feature-jacobian', 'cross-lipschitz'] as const)(
  '%s refuses a model that gives no gradients of its Jacobian',
  (kind) => {
    const { jacobian: _, ...model } = mlp([2, 4, 2]);
    expect(() => regularizer(kind, model, { gamma: 1 })).toThrow(
      `regularizer '${kind}' needs gradients of the Jacobian of the feature map, which mlp 2-4-2 gelu does not give`,
    );
  },
);
