import { beforeAll, expect, test } from 'vitest';
import { type Stage, type Step, stage } from '../../../src/flow/stage.js';
import { crossEntropy } from '../../../src/learn/loss/cross-entropy.js';
import type { Loss } from '../../../src/learn/loss/loss.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import type { Model } from '../../../src/learn/model/model.js';
import { sgd } from '../../../src/learn/optimizer/sgd.js';
import { defineRegularizer } from '../../../src/learn/regularizer/automatic-regularizer.js';
import { l2Sp } from '../../../src/learn/regularizer/l2-sp.js';
import type { Regularizer, Strength } from '../../../src/learn/regularizer/regularizer.js';
import type { Update } from '../../../src/learn/update.js';
import type { AttackOptions, AttackState } from '../../../src/measure/attack/attack.js';
import { type DeepFoolState, deepFool } from '../../../src/measure/attack/deepfool.js';
import type { AttackResult } from '../../../src/measure/attack/record.js';
import type { LabeledSamples } from '../../../src/measure/inputs.js';
import { attackTests } from '../../../src/run/testing/attack-tests.js';
import { lossTests } from '../../../src/run/testing/loss-tests.js';
import { modelTests } from '../../../src/run/testing/model-tests.js';
import { opTests } from '../../../src/run/testing/op-tests.js';
import { optimizerTests } from '../../../src/run/testing/optimizer-tests.js';
import { type PartTest, updatesFor } from '../../../src/run/testing/part-test.js';
import { regularizerTests } from '../../../src/run/testing/regularizer-tests.js';
import { stageTests } from '../../../src/run/testing/stage-tests.js';
import { quantity, record } from '../../../src/storage/record.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { moody } from '../../data/augment/fixtures/own-ops.js';

beforeAll(() => loadTensorFlow());

const regularizers = (change: (one: Regularizer) => Partial<Regularizer>) =>
  regularizerTests({
    make(model, strength: Strength) {
      const one = l2Sp(model, { ...strength, beta: strength.gamma });
      return { ...one, ...change(one) };
    },
  });

/** γ Σ |w|, with a kink wherever a weight is 0, and its gradient times `factor`. */
const absolute = (factor: number) =>
  regularizerTests({
    make(_, strength: Strength) {
      const { gamma } = strength;
      const one = defineRegularizer({
        kind: 'absolute',
        ...strength,
        ofWeights: (weights) => tf.addN([...weights.values()].map((w) => tf.sum(tf.abs(w)))),
      });
      return {
        ...one,
        addGradients({ weights }, gradients) {
          for (const [name, w] of weights) {
            const total = tf.tidy(() => tf.add(gradients.get(name)!, tf.mul(tf.sign(w), factor * gamma)));
            gradients.get(name)!.dispose();
            gradients.set(name, total);
          }
        },
      };
    },
  });

/** The mean of max(0, 1 − margin), with a kink at every margin of 1. */
const hinge = (factor: number) =>
  lossTests({
    make: () => ({
      name: 'hinge',
      of: (logits, labels) =>
        tf.tidy(() => {
          const signs = tf.sub(tf.mul(tf.oneHot(labels, logits.shape[1]), 2), 1);
          const short = tf.sub(1, tf.mul(signs, logits));
          const share = factor / logits.shape[0];
          return {
            value: tf.div(tf.sum(tf.relu(short)), logits.shape[0]),
            gradient: tf.mul(tf.mul(tf.neg(signs), tf.cast(tf.greater(short, 0), 'float32')), share),
            correct: tf.sum(tf.cast(tf.equal(tf.argMax(logits, 1), labels), 'int32')),
          } as never;
        }),
    }),
  });

const ruleOf = (rules: readonly PartTest[], rule: RegExp): PartTest => rules.find(({ name }) => rule.test(name))!;

const losses = (change: (one: Loss, logits: tf.Tensor2D, labels: tf.Tensor1D) => ReturnType<Loss['of']>) =>
  lossTests({ make: () => ({ name: 'own', of: (logits, labels) => change(crossEntropy(), logits, labels) }) });

const models = (change: (one: Model) => Partial<Model>) =>
  modelTests({
    make() {
      const one = mlp([4, 5, 3]);
      return { ...one, ...change(one) };
    },
  });

const attacks = (change: (options: AttackOptions) => AttackOptions) =>
  attackTests({
    make: (model: Model, samples: LabeledSamples, options: AttackOptions) => deepFool(model, samples, change(options)),
  });

type State = AttackState<DeepFoolState>;

const farther = () =>
  attackTests({
    make(model: Model, samples: LabeledSamples, options: AttackOptions): Stage<Update, AttackResult, State> {
      const { next, ...one } = deepFool(model, samples, options);
      return {
        ...one,
        name: 'farther',
        *next(state, update): Generator<Step<State, AttackResult>> {
          for (const [after, result] of next(state, update) as Iterable<Step<State, AttackResult>>) {
            yield result ? [after, { ...result, distance: 2 * result.distance }] : [after];
          }
        },
      };
    },
  });

function hiddenMomentum() {
  let calls = 0; // no snapshot has it
  const inner = sgd({ rate: 0.1, momentum: 0.9 });
  return {
    ...inner,
    move: (...[w, g, m, at]: Parameters<typeof inner.move>) => inner.move(scaled(w, ++calls), g, m, at),
  };
}
const scaled = (weights: ReadonlyMap<string, tf.Tensor>, by: number) =>
  new Map([...weights].map(([name, w]) => [name, tf.tidy(() => tf.mul(w, 1 + 0.01 * by))] as const));

const counting = (next: (count: number, update: Update) => number | string) =>
  stageTests({
    make: () =>
      stage<Update, object, number>({
        name: 'count',
        record: record({ name: 'count', role: 'measurement', fields: { count: quantity() } }),
        start: () => 0,
        next: (count, update) => [count + 1, { position: update.position, count: next(count, update) }],
      }),
    items: () => updatesFor(mlp([2, 4, 2])),
  });
let calls = 0;

const slope = /slope of its value/;
test.each([
  ['l2', () => regularizers(() => ({}))],
  ['l1, which has kinks', () => absolute(1)],
  ['hinge, which has kinks', () => hinge(1)],
])('the right gradient of %s is taken for right', (_, rules) => ruleOf(rules(), slope).run());

test('a wrong gradient says where, and how far', async () => {
  const said = (rules: readonly PartTest[], rule = slope) =>
    ruleOf(rules, rule)
      .run()
      .catch(({ message }: Error) => message);
  const places = /the slope of the value at [345] of 5 points: at the first its slope is -?\d/;
  expect(await said(absolute(1.1))).toMatch(places);
  expect(await said(hinge(1.1))).toMatch(places);
  expect(await said(regularizers(() => ({ addGradients: () => undefined })))).toMatch(/is not the slope|does nothing/);
  const still = await said(
    regularizers(() => ({ value: () => 1 })),
    /leaves its value lower/,
  );
  expect(still).toBe(
    'its value is 1 after 30 updates of training with it at γ = 1, and 1 without it: it should be less than 0.95, 95 % of that',
  );
  const chance = await said(opTests({ op: moody(), on: 'floats' }), /number of threads/);
  expect(chance).toMatch(/^bits by 2 threads: \[\d+\] is [\d.]+, and should be [\d.]+$/); // not all of many thousand values
});

/** A broken part, and the rule that it breaks. */
const broken: readonly (readonly [fault: string, rules: () => PartTest[], rule: RegExp])[] = [
  [
    'a regularizer whose value is doubled',
    () => regularizers((one) => ({ value: (input) => 2 * one.value(input) })),
    /its gradient is the slope/,
  ],
  [
    'a regularizer whose gradient is a tenth too steep',
    () => regularizers((one) => ({ value: (input) => one.value(input) / 1.1 })),
    /its gradient is the slope/,
  ],
  ['a regularizer without burn-in', () => regularizers(() => ({ active: () => true })), /burn-in/],
  [
    'a regularizer that keeps a tensor',
    () => regularizers((one) => ({ value: (input) => one.value(input) + 0 * tf.keep(tf.scalar(1)).size })),
    /leaves no tensor/,
  ],
  [
    'a regularizer whose value leaves a tensor behind',
    () => regularizers((one) => ({ value: (input) => one.value(input) + 0 * tf.scalar(1).size })),
    /leaves no tensor/,
  ],
  [
    'a regularizer whose gradient leaves a tensor behind',
    () => regularizers(() => ({ addGradients: () => void tf.scalar(1) })),
    /leaves no tensor/,
  ],
  [
    'a loss that is a sum',
    () =>
      losses((one, logits, labels) =>
        tf.tidy(() => {
          const { value, gradient } = one.of(logits, labels);
          return { value: tf.mul(value, logits.shape[0]), gradient: tf.mul(gradient, logits.shape[0]) } as never;
        }),
      ),
    /mean of its samples/,
  ],
  [
    'a loss whose gradient is of another',
    () => losses((one, logits, labels) => ({ ...one.of(logits, labels), gradient: tf.onesLike(logits) })),
    /slope of its value/,
  ],
  ['an optimizer with state in a closure', () => optimizerTests({ make: hiddenMomentum }), /ends in the same bits/],
  [
    'a model whose logits are no readout of its features',
    () => models((one) => ({ logits: (weights, x) => tf.square(one.logits(weights, x)) as tf.Tensor2D })),
    /the readout of its features/,
  ],
  [
    'a model that is not as wide as its bound says',
    () =>
      models((one) => ({
        parts: [{ kind: 'bounded', name: 'none', lipschitz: { l1: 0, l2: 0, linf: 0 } }],
        first: one.first!,
      })),
    /bound by its parts/,
  ],
  ['an attack whose point is nearer than it says', () => farther(), /as far away as it says/],
  ['an attack that heeds no budget', () => attacks(({ budget: _, ...one }) => one), /a budget is never passed/],
  ['an op that takes chance from elsewhere', () => opTests({ op: moody(), on: 'floats' }), /number of threads/],
  ['a stage whose output is no part of its state', () => counting(() => ++calls), /restored at every step/],
  ['a stage whose output is not as it declares', () => counting(() => 'many'), /record declares/],
];

test.each(broken)('%s is found', async (_, rules, rule) => {
  const found = rules().filter(({ name }) => rule.test(name));
  expect(found).toHaveLength(1);
  await expect(found[0]!.run()).rejects.toThrow();
});
