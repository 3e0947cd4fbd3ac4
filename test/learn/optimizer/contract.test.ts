import { from, lastValueFrom } from 'rxjs';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { forgetNotices } from '../../../src/flow/terminal.js';
import { crossEntropy } from '../../../src/learn/loss/cross-entropy.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import type { Weights } from '../../../src/learn/model/model.js';
import { adam, adamw } from '../../../src/learn/optimizer/adam.js';
import { averaged, clipByNorm, ema } from '../../../src/learn/optimizer/composed.js';
import { lars } from '../../../src/learn/optimizer/lars.js';
import { muon } from '../../../src/learn/optimizer/muon.js';
import { type Optimizer, optimizer, type WeightRule } from '../../../src/learn/optimizer/optimizer.js';
import { constant, cosine, step, type UpdateIndex, warmUp } from '../../../src/learn/optimizer/schedule.js';
import { sgd } from '../../../src/learn/optimizer/sgd.js';
import { trainStage } from '../../../src/learn/train.js';
import type { Update } from '../../../src/learn/update.js';
import { optimizerTests } from '../../../src/run/testing/optimizer-tests.js';
import { batchFor } from '../../../src/run/testing/part-test.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';

beforeAll(() => loadTensorFlow());

const model = mlp([2, 8, 2]);
const rates = [{ weights: ['readout/kernel'], rate: cosine(0.1, { epochs: 9 }) }];
const usual = { rate: warmUp(4, 0.05), rates };

/** Lion (Chen et al. 2023), as a user writes it. */
const lion = (rate: number): Optimizer =>
  optimizer({
    name: 'lion',
    rate,
    state: ['momentum'],
    step: ({ weight, gradient, state, rate }) => ({
      weight: tf.sub(weight, tf.mul(tf.sign(tf.add(tf.mul(state.momentum, 0.9), tf.mul(gradient, 0.1))), rate)),
      momentum: tf.add(tf.mul(state.momentum, 0.99), tf.mul(gradient, 0.01)),
    }),
  });

const rows: Record<string, () => Optimizer> = {
  sgd: () => sgd({ ...usual, momentum: 0.9, decay: 1e-3 }),
  'sgd without momentum': () => sgd(usual),
  'sgd nesterov': () => sgd({ ...usual, momentum: 0.9, nesterov: true }),
  adam: () => adam(usual),
  adamw: () => adamw(usual),
  lars: () => lars({ ...usual, decay: 1e-2, vectors: false }),
  muon: () => muon({ ...usual, rates: [], others: adamw(usual), except: ['readout'] }),
  'ema of clipped muon': () => ema(0.9, clipByNorm(0.1, muon({ ...usual, others: sgd({ rate: 0.1, momentum: 0.9 }) }))),
  'clipped ema of adam': () => clipByNorm(0.1, ema(0.9, adam(usual))),
  'a user’s own': () => lion(0.01),
};

describe.each(Object.entries(rows))('%s', (_, make) => {
  for (const { name, run } of optimizerTests({ make, model: () => model })) test(name, run);

  test('its state is refused by another optimizer, by name', () => {
    const { weights, memory } = stepped(make(), 1);
    if (memory.size === 0) return;
    expect(() => sgd({ rate: 1 }).move(weights, like(weights, 2), memory, { epoch: 1, number: 2 })).toThrow(
      /optimizer 'sgd' cannot make update 2: there is '\w+\/hidden1\/kernel' in its state/,
    );
    const lost = make();
    expect(() => lost.move(like(weights, 1), like(weights, 2), new Map(), { epoch: 1, number: 2 })).toThrow(
      /is not in its state|has no averages/,
    );
  });
});

const batch = (number: number) => batchFor(model, number, 3, 2);

const like = (weights: Weights, value: number): Map<string, tf.Tensor> =>
  new Map([...weights].map(([name, { shape }]) => [name, tf.fill(shape, value)]));

/** One update of the model's weights by gradients of 1. */
function stepped(by: Optimizer, number: number) {
  const weights = model.start(3);
  return by.move(weights, like(weights, 1), new Map(), { epoch: 1, number });
}

test('a warm-up rises in equal steps to the schedule behind it', () => {
  const rate = warmUp(4, cosine(1, { epochs: 2 }));
  const over = [1, 2, 3, 4, 5].map((number) => rate({ epoch: number < 5 ? 1 : 2, number }));
  expect(over).toEqual([0.25, 0.5, 0.75, 1, 0.5]);
  expect(warmUp(0, 3)({ epoch: 1, number: 1 })).toBe(3);
  expect(() => warmUp(1.5, 1)).toThrow('warmUp was given updates = 1.5');
});

test('gradients below the norm move weights to the same bits as without clipping', () => {
  const bits = (by: Optimizer) => [...stepped(by, 1).weights.values()].map((tensor) => [...tensor.dataSync()]);
  const plain = () => sgd({ rate: 0.1, momentum: 0.9 });
  expect(bits(clipByNorm(1000, plain()))).toEqual(bits(plain()));
  expect(bits(clipByNorm(0.1, plain()))).not.toEqual(bits(plain()));
});

test('averages are the initial weights at update 0, those of the first update then, and never those of the training', async () => {
  const stage = trainStage(model, { loss: crossEntropy(), optimizer: ema(0.5, sgd({ rate: 1 })), seed: 3 });
  const start = stage.start();
  const valuesOf = (weights: Weights) => [...weights.values()].flatMap((tensor) => [...tensor.dataSync()]);
  const first = stage.repeat(start);
  const handed = async (update: Update) => valuesOf((await lastValueFrom(from([update]).pipe(averaged()))).weights);
  const w0 = valuesOf(first.weights);
  expect(await handed(first)).toEqual(w0);
  let [state, update] = stage.next(start, batch(1));
  const w1 = valuesOf(update.weights);
  expect(w1).not.toEqual(w0);
  expect(await handed(update)).toEqual(w1);
  [state, update] = stage.next(state, batch(2));
  const w2 = valuesOf(update.weights);
  expect(await handed(update)).toEqual(w1.map((one, i) => Math.fround(Math.fround(one / 2) + Math.fround(w2[i]! / 2))));
  stage.dispose(state);
});

test('updates without averages are refused where they are asked for', async () => {
  const update = { number: 3 } as Update;
  await expect(lastValueFrom(from([update]).pipe(averaged()))).rejects.toThrow(
    "'averaged' was handed update 3, whose optimizer keeps no averages of the weights",
  );
});

/** An optimizer by a rule that returns `result` for every weight. */
const returning = (result: (weight: tf.Tensor) => unknown): Optimizer =>
  optimizer({ name: 'own', rate: 1, step: ({ weight }) => ({ weight: result(weight) as tf.Tensor }) });

test.each<[string, (weight: tf.Tensor) => unknown, string]>([
  ['nothing', () => undefined, "optimizer 'own' returned no tensor 'weight' for 'hidden1/kernel'"],
  ['a number', () => 3, "optimizer 'own' returned no tensor 'weight' for 'hidden1/kernel'"],
  ['another shape', (w) => tf.sum(w), "optimizer 'own' returned 'hidden1/kernel' as [], which is [2, 8]"],
  ['another type', (w) => tf.cast(w, 'int32'), "optimizer 'own' returned 'hidden1/kernel' as int32"],
])('a step that returns %s is refused by name', (_, result, message) => {
  const stage = trainStage(model, { loss: crossEntropy(), optimizer: returning(result), seed: 3 });
  expect(() => stage.next(stage.start(), batch(1))).toThrow(message);
});

test('an optimizer by hand that drops, adds or disposes of a weight is refused by name', () => {
  const after = (change: (weights: Map<string, tf.Tensor>) => void) => () => {
    const own: Optimizer = {
      name: 'own',
      rate: () => 1,
      move(weights, gradients) {
        tf.dispose([...gradients.values()]);
        const moved = new Map(weights);
        change(moved);
        return { weights: moved, memory: new Map() };
      },
    };
    const stage = trainStage(model, { loss: crossEntropy(), optimizer: own, seed: 3 });
    stage.next(stage.start(), batch(1));
  };
  expect(after(() => undefined)).not.toThrow();
  expect(after((weights) => weights.delete('readout/bias'))).toThrow(
    "optimizer 'own' returned no weight 'readout/bias'",
  );
  expect(after((weights) => weights.set('more', tf.scalar(1)))).toThrow(
    "returned a weight 'more', which it was not given",
  );
  expect(after((weights) => weights.get('readout/bias')!.dispose())).toThrow("returned 'readout/bias' disposed of");
});

test.each<[string, () => unknown, string]>([
  ['a negative rate', () => sgd({ rate: -1 }), "optimizer 'sgd' was given rate = -1"],
  ['a momentum that is no number', () => sgd({ rate: 1, momentum: Number.NaN }), 'momentum = NaN'],
  ['Nesterov without momentum', () => sgd({ rate: 1, nesterov: true }), 'nesterov without a momentum'],
  ['β₂ of 1', () => adam({ rate: 1, beta2: 1 }), "optimizer 'adam' was given beta2 = 1"],
  ['a misspelled option', () => adamw({ rate: 1, decai: 1 } as never), "adamw has no option 'decai'"],
  ['no other optimizer', () => muon({ rate: 1 } as never), 'muon was not given others'],
  ['an unknown adjustment', () => muon({ rate: 1, others: lion(1), adjustment: 'x' as never }), 'adjustment = "x"'],
  ['averages of a part', () => muon({ rate: 1, others: ema(0.9, lion(1)) }), 'averages of its other weights alone'],
  ['averages of averages', () => ema(0.9, ema(0.9, lion(1))), "ema was given optimizer 'lion', which keeps averages"],
  ['a norm of 0', () => clipByNorm(0, lion(1)), 'clipByNorm was given max = 0'],
  ['a decay of 1', () => ema(1, lion(1)), 'ema was given decay = 1'],
  ['a rate as text', () => sgd({ rate: '0.1' as never }), 'rate = "0.1"'],
  ['a rate of some weights that is none', () => sgd({ rate: 1, rates: [{ weights: ['a'], rate: -1 }] }), 'rate = -1'],
  ['one name as weights', () => sgd({ rate: 1, rates: [{ weights: 'a' as never, rate: 1 }] }), 'weights = "a"'],
  ['ε of 0 in Adam', () => adam({ rate: 1, epsilon: 0 }), 'epsilon = 0'],
  ['an endless decay', () => adamw({ rate: 1, decay: Number.POSITIVE_INFINITY }), 'decay = Infinity'],
  ['an unknown adaption', () => lars({ rate: 1, adapt: 'allways' as never }), 'adapt = "allways"'],
  ['a part of an iteration', () => muon({ rate: 1, others: lion(1), iterations: 2.5 }), 'iterations = 2.5'],
  ['one name as exceptions', () => muon({ rate: 1, others: lion(1), except: 'a' as never }), 'except = "a"'],
  ['others that are none', () => muon({ rate: 1, others: {} as never }), 'others of muon was given something else'],
  ['clipping without a norm', () => clipByNorm(lion(1) as never, 1 as never), 'in the place of its number'],
  ['averages as text', () => ema('0.9' as never, lion(1)), 'ema was given decay = "0.9"'],
  ['an optimizer that was not called', () => ema(0.9, sgd as never), 'ema was given a function'],
  ['a warm-up to no number', () => warmUp(3, Number.NaN), 'warmUp was given then = NaN'],
  ['no epochs of a cosine', () => cosine(1, { epochs: 0 }), 'cosine was given epochs = 0'],
  ['steps of no epoch', () => step(1, { every: 0 }), 'step was given every = 0'],
  ['a rising sign', () => step(1, { every: 1, factor: -1 }), 'step was given factor = -1'],
  ['a negative constant', () => constant(-1), 'constant was given value = -1'],
  ['a state with a name of its own', () => named('weight'), "names a tensor of its state 'weight'"],
])('%s is refused', (_, make, message) => expect(make).toThrow(message));

const named = (name: string) =>
  optimizer({ name: 'own', rate: 1, state: [name], step: () => ({}) } as unknown as WeightRule<string>);

test.each([Number.NaN, -0.1, undefined])(
  'a schedule that comes to %s ends the training before its update, by number',
  (rate) => {
    const late = ({ number }: UpdateIndex) => (number < 3 ? 0.1 : (rate as number));
    for (const one of [sgd({ rate: late }), adam({ rate: 1, rates: [{ weights: ['readout'], rate: late }] })]) {
      const stage = trainStage(model, { loss: crossEntropy(), optimizer: one, seed: 3 });
      let state = stage.start();
      for (const number of [1, 2]) [state] = stage.next(state, batch(number));
      expect(() => stage.next(state, batch(3))).toThrow(`by its schedule at update 3, was given rate = ${rate}`);
    }
  },
);

test('a cosine stays at its floor behind its epochs', () => {
  const rate = cosine(1, { epochs: 2, floor: 0.25 });
  expect([3, 4, 9].map((epoch) => rate({ epoch, number: 1 }))).toEqual([0.25, 0.25, 0.25]);
});

test('LARS without a decay says that it adapts no step', () => {
  forgetNotices();
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  lars({ rate: 1 });
  lars({ rate: 1, adapt: 'always' });
  expect(said.mock.calls.map(([text]) => text)).toEqual([
    expect.stringMatching(/^lars without a decay adapts no step/),
  ]);
  said.mockRestore();
});

test('exceptions from Muon that no weight is called name what is there', () => {
  expect(() => stepped(muon({ rate: 1, others: lion(1), except: ['head'] }), 1)).toThrow(
    "optimizer 'muon' has an exception for 'head', which no trained weight is called",
  );
});

test('Muon multiplies the rounding in the gradient of a readout, which sums to 0 over the classes, and in no other', () => {
  const [features, errors] = [
    tf.randomNormal([16, 12], 0, 1, 'float32', 1),
    tf.randomNormal([16, 4], 0, 1, 'float32', 2),
  ];
  const apart = (gradient: tf.Tensor): number => {
    const noise = tf.randomNormal(gradient.shape, 0, 1e-7, 'float32', 3);
    const [one, other] = [gradient, tf.add(gradient, tf.mul(gradient, noise))].map((g) => {
      const weights = new Map([['w', tf.zeros([12, 4])]]);
      return muon({ rate: 1, others: lion(1) }).move(weights, new Map([['w', g]]), new Map(), { epoch: 1, number: 1 });
    });
    const [a, b] = [one!.weights.get('w')!, other!.weights.get('w')!];
    return tf.norm(tf.sub(a, b)).dataSync()[0]! / tf.norm(a).dataSync()[0]!;
  };
  const product = (of: tf.Tensor): tf.Tensor => tf.matMul(features as tf.Tensor2D, of as tf.Tensor2D, true);
  expect(apart(product(errors))).toBeLessThan(1e-6);
  const ofReadout = apart(product(tf.sub(errors, tf.mean(errors, 1, true))));
  expect(ofReadout).toBeGreaterThan(3e-6);
  expect(ofReadout).toBeLessThan(3.4445 ** 5 * 1e-6);
});
