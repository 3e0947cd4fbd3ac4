import { lastValueFrom, of, toArray } from 'rxjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { WeirError } from '../../../src/flow/errors.js';
import { crossEntropy } from '../../../src/learn/loss/cross-entropy.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import type { Model } from '../../../src/learn/model/model.js';
import { sgd } from '../../../src/learn/optimizer/sgd.js';
import { type RegularizerKind, regularizer, regularizerKinds } from '../../../src/learn/regularizer/registry.js';
import { addGradient, type Regularizer, type Strength } from '../../../src/learn/regularizer/regularizer.js';
import { isSpectral } from '../../../src/learn/regularizer/spectral.js';
import { spectralTick } from '../../../src/learn/spectral/stages.js';
import { trainStage } from '../../../src/learn/train.js';
import type { Update } from '../../../src/learn/update.js';
import { regularizerTests } from '../../../src/run/testing/regularizer-tests.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';

beforeAll(() => loadTensorFlow());

const { start } = mlp([5, 7, 6, 3]);

/** Every regularizer that a config can name, held to the rules for a user's own. */
describe.each(regularizerKinds.filter((kind) => kind !== 'none'))('%s', (kind) => {
  const options = { exponent: 1, smallest: 3, beta: 1, iterations: 60, seed: 2, start: () => start(9) };
  const make = (model: Model, strength: Strength) => regularizer(kind, model, { ...options, ...strength });
  for (const { name, run } of regularizerTests({ make })) test(name, run);

  test('a γ below 0, and a burn-in of which no epoch would be the last, are refused by name', () => {
    const model = mlp([5, 7, 6, 3]);
    expect(() => make(model, { gamma: -1 })).toThrow(`'${kind}' was given gamma = -1`);
    expect(() => make(model, { gamma: 1, from: { epoch: Number.NaN } })).toThrow(
      `from of regularizer '${kind}' was given epoch = NaN`,
    );
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

describe('a regularizer of the user’s own', () => {
  const model = mlp([2, 4, 2]);
  const kernel = 'hidden1/kernel';
  const own = (given: Partial<Regularizer>): Regularizer => ({
    kind: 'own',
    active: () => true,
    value: () => 0,
    ...given,
  });
  const batch = {
    ...{ position: 4, epoch: 1, remaining: 0, sampleShape: [2] },
    ...{ values: Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1), labels: Uint8Array.of(0, 1, 1, 0) },
  };
  const trained = (regularizer: Regularizer) => {
    const stage = trainStage(model, { loss: crossEntropy(), optimizer: sgd({ rate: 1 }), regularizer, seed: 0 });
    return stage.next(stage.start(), batch);
  };

  test('is refused by the name of the part that it lacks, before anything is trained', () => {
    const { active: _, ...lacking } = own({});
    expect(() => trained(lacking as Regularizer)).toThrow("the regularizer 'own' has no 'active'");
  });

  test('that leaves a gradient of another shape is refused, in place of a step that TensorFlow.js would spread', () => {
    const scalar = own({ addGradients: (_, gradients) => void gradients.set(kernel, tf.scalar(1)) });
    expect(() => trained(scalar)).toThrow(
      "regularizer 'own' left the gradient of 'hidden1/kernel' of shape [], whose weight is [2, 4]",
    );
  });

  test('that gives away a weight is refused', () => {
    const given = own({
      addGradients: ({ weights }, gradients) => addGradient(gradients, kernel, weights.get(kernel)!),
    });
    expect(() => trained(given)).toThrow("regularizer 'own' disposed of the weight 'hidden1/kernel'");
  });

  test('that adds a gradient to no trained weight is refused, with the nearest one', () => {
    const misspelled = own({ addGradients: (_, gradients) => addGradient(gradients, 'hiden1/kernel', tf.scalar(1)) });
    expect(() => trained(misspelled)).toThrow(
      expect.objectContaining({
        message: "a gradient was added to 'hiden1/kernel', which is no trained weight",
        remedy: expect.stringMatching(/^did you mean 'hidden1\/kernel'\? The trained weights are readout\/kernel, /),
      }),
    );
  });

  test.each(['addGradients', 'addSampleGradients'] as const)(
    'whose %s leaves a tensor behind is refused at the tenth update',
    (part) => {
      const leaking = own({ [part]: () => void tf.scalar(1) });
      const stage = trainStage(model, {
        loss: crossEntropy(),
        optimizer: sgd({ rate: 1 }),
        regularizer: leaking,
        seed: 0,
      });
      let state = stage.start();
      const update = () => {
        [state] = stage.next(state, batch);
      };
      for (let number = 1; number < 10; number++) update();
      expect(update).toThrow("regularizer 'own' has left tensors behind 10 times in a row, 1 at the last");
    },
  );

  test('that keeps what it has made once is none that leaves tensors behind', () => {
    const kept: tf.Tensor[] = [];
    const caching = own({
      addGradients() {
        if (kept.length === 0) kept.push(tf.scalar(1));
      },
    });
    const stage = trainStage(model, {
      loss: crossEntropy(),
      optimizer: sgd({ rate: 1 }),
      regularizer: caching,
      seed: 0,
    });
    let state = stage.start();
    for (let number = 1; number <= 12; number++) [state] = stage.next(state, batch);
    expect(state.number).toBe(12);
  });
});
