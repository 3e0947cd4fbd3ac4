import { beforeAll, expect, test } from 'vitest';
import { augment } from '../../src/data/augment/augment.js';
import { batch } from '../../src/data/batch.js';
import { xor } from '../../src/data/datasets/synthetic.js';
import { loader } from '../../src/data/loader.js';
import { Flow } from '../../src/flow/flow.js';
import { at, every, from } from '../../src/flow/schedule.js';
import { ensemble } from '../../src/learn/ensemble/ensemble.js';
import { ensembleRegularizer } from '../../src/learn/ensemble/regularizer.js';
import { trainEnsemble } from '../../src/learn/ensemble/train.js';
import { crossEntropy } from '../../src/learn/loss/cross-entropy.js';
import { mlp } from '../../src/learn/model/mlp.js';
import { clipByNorm } from '../../src/learn/optimizer/composed.js';
import { lars } from '../../src/learn/optimizer/lars.js';
import { warmUp } from '../../src/learn/optimizer/schedule.js';
import { sgd } from '../../src/learn/optimizer/sgd.js';
import { regularizer } from '../../src/learn/regularizer/registry.js';
import { train } from '../../src/learn/train.js';
import { loadTensorFlow } from '../../src/tensorflow/tf.js';

beforeAll(() => loadTensorFlow());

const batches$ = loader(xor({ seed: 0 }), { epochs: 4, seed: 0 }).pipe(augment([], { seed: 0 }), batch(1)); // 4 batches an epoch

/** What is said of a graph before its first item. */
function remarks(streams: ConstructorParameters<typeof Flow>[0]): readonly string[] {
  const flow = new Flow(streams);
  try {
    flow.introduce();
    return flow.remarks;
  } finally {
    flow.close();
  }
}

/** XOR for four epochs of two updates each. */
function updates(burnIn: number, warm: number) {
  const model = mlp([2, 4, 2]);
  return batches$.pipe(
    train(model, {
      loss: crossEntropy(),
      optimizer: clipByNorm(1, sgd({ rate: warmUp(warm, 0.1) })),
      regularizer: regularizer('l2-sp', model, { gamma: 0.1, from: { epoch: burnIn } }),
      accumulate: 2,
      seed: 0,
    }),
  );
}

test('a burn-in, a warm-up or a cadence that is longer than the training is said before it begins', () => {
  const fits$ = updates(3, 8);
  const fit = {
    epochs$: fits$.pipe(every({ epochs: 4, from: { epoch: 4 } })),
    updates$: fits$.pipe(every({ updates: 8 })),
    from$: fits$.pipe(from({ update: 8 })),
    at$: fits$.pipe(at({ epoch: 4 })),
  };
  expect(remarks(fit)).toEqual([]);

  const late$ = updates(4, 9);
  const late = {
    epochs$: late$.pipe(every({ epochs: 5 })),
    updates$: late$.pipe(every({ updates: 9 })),
    later$: late$.pipe(every({ updates: 3, from: { update: 7 } })),
    from$: late$.pipe(from({ update: 9 })),
    at$: late$.pipe(at({ epoch: 5 })),
  };
  const end = 'the training ends with epoch 4, update 8';
  expect(remarks(late)).toEqual([
    `every({ epochs: 5 }) lets no update pass: ${end}`,
    "the regularizer 'l2-sp' never acts: the training ends with epoch 4, within its burn-in",
    'the learning rate never comes to its whole: its warm-up is of 9 updates, and the training of 8',
    `every({ updates: 9 }) lets no update pass: ${end}`,
    `every({ updates: 3, from: { update: 7 } }) lets no update pass: ${end}`,
    `from({ update: 9 }) lets no update pass: ${end}`,
    `at({ epoch: 5 }) lets no update pass: ${end}`,
  ]);
});

test('the same of an ensemble', () => {
  const networks = ensemble([2, 4, 2], [{ name: 'a', seed: 0, regularizer: 'rep-spectral' }]);
  const updates$ = batches$.pipe(
    trainEnsemble(networks, {
      sgd: { rate: warmUp(17, 0.1) },
      regularizer: ensembleRegularizer(networks, { gamma: 0.1, from: { epoch: 4 } }),
    }),
  );
  expect(remarks({ updates$ })).toEqual([
    "the regularizer 'spectral' never acts: the training ends with epoch 4, within its burn-in",
    'the learning rate never comes to its whole: its warm-up is of 17 updates, and the training of 16',
  ]);
});

test('a momentum of 1, which never forgets, is refused', () => {
  const refused = 'was given momentum = 1';
  expect(() => sgd({ rate: 0.1, momentum: 1 })).toThrow(refused);
  expect(() => lars({ rate: 0.1, momentum: 1 })).toThrow(refused);
  const networks = ensemble([2, 4, 2], [{ name: 'a', seed: 0, regularizer: 'none' }]);
  expect(() => trainEnsemble(networks, { sgd: { rate: 0.1, momentum: 1 } })).toThrow(refused);
});
