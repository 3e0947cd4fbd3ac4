import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { sizeOf } from '../../../src/flow/data.js';
import { crossEntropy } from '../../../src/learn/loss/cross-entropy.js';
import { gradientsOf } from '../../../src/learn/loss/gradients.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import type { Weights } from '../../../src/learn/model/model.js';
import { adam, adamw } from '../../../src/learn/optimizer/adam.js';
import { clipByNorm, ema } from '../../../src/learn/optimizer/composed.js';
import { lars } from '../../../src/learn/optimizer/lars.js';
import { muon } from '../../../src/learn/optimizer/muon.js';
import type { Optimizer } from '../../../src/learn/optimizer/optimizer.js';
import { cosine, type Schedule, warmUp } from '../../../src/learn/optimizer/schedule.js';
import { sgd } from '../../../src/learn/optimizer/sgd.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { deviation } from '../../golden.js';
import { numbers } from '../model/random-weights.js';

beforeAll(() => loadTensorFlow());

/** What PyTorch makes of the same weights and gradients, by torch-optimizers.py. */
interface Torch {
  readonly shapes: Record<string, number[]>;
  readonly x: string;
  readonly labels: number[];
  readonly start: Saved;
  readonly gradients: Saved;
  readonly recorded: Record<string, Saved>;
  readonly averages: Saved;
  readonly trained: Record<string, Saved>;
  readonly long: Record<string, Saved>;
}
type Saved = Record<string, string>;

const torch: Torch = JSON.parse(readFileSync(new URL('torch-optimizers.json', import.meta.url), 'utf8'));
const updates = 50;
const floats = (base64: string): Float32Array => {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
  return new Float32Array(bytes.buffer);
};
/** The rate of a row, or a schedule of it. */
type Rated = (rate: number) => number | Schedule;

const rows: Record<string, (rated: Rated) => Optimizer> = {
  sgd: (r) => sgd({ rate: r(0.1), momentum: 0.9, decay: 0.01 }),
  'sgd nesterov': (r) => sgd({ rate: r(0.1), momentum: 0.9, nesterov: true, decay: 0.01 }),
  'sgd warm-up': (r) => sgd({ rate: warmUp(20, r(0.2)), momentum: 0.9 }),
  adam: (r) => adam({ rate: r(0.01), decay: 0.02 }),
  adamw: (r) => adamw({ rate: r(0.01), beta1: 0.85, beta2: 0.98, decay: 0.1 }),
  'adamw clipped': (r) => clipByNorm(0.3, adamw({ rate: r(0.01) })),
  lars: (r) => lars({ rate: r(1), decay: 0.05, trust: 0.02 }),
  'lars always': (r) => lars({ rate: r(1), trust: 0.02, adapt: 'always' }),
  'lars plain vectors': (r) => lars({ rate: r(2), decay: 0.05, trust: 0.02, vectors: false }),
  muon: (r) => muon({ rate: r(0.02), others: others(r) }),
  'muon matched': (r) => muon({ rate: r(0.01), nesterov: false, adjustment: 'match-rms-adamw', others: others(r) }),
  'muon unclamped': (r) => muon({ rate: r(0.02), adjustment: 'spectral-unclamped', others: others(r) }),
};
const others = (rated: Rated) => adamw({ rate: rated(0.01), decay: 0.1 });
const unchanged: Rated = (rate) => rate;

const started = (names: readonly string[]): Weights =>
  new Map(names.map((name) => [name, tf.tensor(floats(torch.start[name]!), torch.shapes[name]!)]));

/** The recorded gradients of an update, from 1 on. */
const gradientsAt = (number: number): Map<string, tf.Tensor> =>
  new Map(
    Object.entries(torch.shapes).map(([name, shape]) => {
      const all = floats(torch.gradients[name]!);
      const size = all.length / updates;
      return [name, tf.tensor(all.slice((number - 1) * size, number * size), shape)];
    }),
  );

/** Feeds an optimizer the recorded gradients. @returns weights, memory and averages at the end */
function fed(optimizer: Optimizer) {
  let weights = started(Object.keys(torch.shapes));
  let memory: Weights = new Map();
  for (let number = 1; number <= updates; number++) {
    ({ weights, memory } = optimizer.move(weights, gradientsAt(number), memory, { epoch: 1, number }));
  }
  return { weights, memory, averages: optimizer.averages?.(weights, memory) };
}

/**
 * Compares how far each weight has come, as a part of the largest way: a weight itself may be large beside what an optimizer did to it.
 *
 * @param relative the deviation allowed
 * @param rounding the part of the largest weight that float32 may lose over the updates
 */
function expectNear(found: Weights, wanted: Saved, before: Weights, relative: number, rounding = 0): void {
  expect([...found.keys()]).toEqual(Object.keys(wanted));
  for (const [name, tensor] of found) {
    const from = before.get(name)!.dataSync();
    const [ours, theirs] = [tensor.dataSync(), floats(wanted[name]!)].map((w) => Array.from(w, (v, i) => v - from[i]!));
    const absolute = rounding * Math.max(...tensor.dataSync().map(Math.abs));
    expect(deviation(ours!, theirs!, { relative, absolute }), name).toBeLessThanOrEqual(1);
  }
}

describe.each(Object.entries(rows))('%s', (name, make) => {
  test('fifty recorded gradients move the weights of an MLP and of a convolution to where PyTorch moves them', () => {
    const start = started(Object.keys(torch.shapes));
    expectNear(fed(make(unchanged)).weights, torch.recorded[name]!, start, name.startsWith('muon') ? 1e-2 : 1e-5);
  });

  test('fifty updates of an MLP by its own gradients end where PyTorch ends, and leave no tensor behind', () => {
    const model = mlp([3, 4, 2]);
    const x = tf.tensor2d(floats(torch.x), [12, 3]);
    const labels = tf.tensor1d(torch.labels, 'int32');
    const optimizer = make(unchanged);
    const names = [...model.start(0).keys()];
    const start = started(names);
    let weights = started(names);
    let memory: Weights = new Map();
    let tensors = 0;
    for (let number = 1; number <= updates; number++) {
      const { loss, correct, gradients } = gradientsOf(model, crossEntropy(), weights, x, labels);
      tf.dispose([loss, correct]);
      ({ weights, memory } = optimizer.move(weights, gradients, memory, { epoch: 1, number }));
      if (number === 1) tensors = tf.memory().numTensors;
    }
    expect(tf.memory().numTensors).toBe(tensors);
    expectNear(weights, torch.trained[name]!, start, 1e-4);
  });

  if (torch.long[name] === undefined) return; // its rate is a schedule already
  test('two hundred do so under a schedule, some of them zero', () => {
    const optimizer = make((rate) => warmUp(30, cosine(rate, { epochs: 20 })));
    const start = new Map([...long].map(([name, { shape, start }]) => [name, tf.tensor(start, shape)]));
    let weights: Weights = new Map([...start].map(([name, tensor]) => [name, tf.clone(tensor)]));
    let memory: Weights = new Map();
    for (let number = 1; number <= 200; number++) {
      const gradients = new Map(
        [...long].map(([name, { shape, gradientAt }]) => [name, tf.tensor(gradientAt(number), shape)]),
      );
      ({ weights, memory } = optimizer.move(weights, gradients, memory, { epoch: Math.ceil(number / 10), number }));
    }
    expectNear(weights, torch.long[name]!, start, 1e-5, 2e-6);
  });
});

/** The made-up weights and gradients of `LONG` in torch-optimizers.py. */
const long = new Map(
  Object.entries({
    'zero/kernel': [4, 3],
    'row/kernel': [1, 7],
    'column/kernel': [7, 1],
    'late/kernel': [5, 6],
    'silent/kernel': [3, 4],
    'conv/kernel': [3, 3, 5, 2],
    'shortcut/kernel': [1, 1, 2, 6],
    'norm/scale': [5],
    'norm/offset': [6],
  }).map(([name, shape], i, { length }) => {
    const size = sizeOf(shape);
    const [zero, one] = [['zero/kernel', 'norm/offset'].includes(name), name === 'norm/scale'];
    const start = zero || one ? new Float32Array(size).fill(Number(one)) : Float32Array.from(numbers(i + 1, size));
    const direction = numbers(100 + i, size);
    const gradientAt = (update: number): Float32Array => {
      const silent = name === 'silent/kernel' || (name === 'late/kernel' && (update <= 50 || update > 120));
      if (silent) return new Float32Array(size);
      const factor = 10 ** Math.cos(update / 7);
      return Float32Array.from(numbers(1000 + update * length + i, size), (v, j) => (v + 0.3 * direction[j]!) * factor);
    };
    return [name, { shape, start, gradientAt }] as const;
  }),
);

test('moving averages are those of PyTorch, and the weights move as without them, to the bit', () => {
  const plain = () => rows.adamw!(unchanged);
  const { weights, averages } = fed(ema(0.9, plain()));
  expectNear(averages!, torch.averages, started(Object.keys(torch.shapes)), 1e-5);
  const bits = (of: Weights) => [...of].map(([name, tensor]) => [name, tensor.dataSync()]);
  expect(bits(weights)).toEqual(bits(fed(plain()).weights));
});
