import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { crossEntropy } from '../../../src/learn/loss/cross-entropy.js';
import { gradientsOf } from '../../../src/learn/loss/gradients.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import type { Weights } from '../../../src/learn/model/model.js';
import { adam, adamw } from '../../../src/learn/optimizer/adam.js';
import { clipByNorm, ema } from '../../../src/learn/optimizer/composed.js';
import { lars } from '../../../src/learn/optimizer/lars.js';
import { muon } from '../../../src/learn/optimizer/muon.js';
import type { Optimizer } from '../../../src/learn/optimizer/optimizer.js';
import { warmUp } from '../../../src/learn/optimizer/schedule.js';
import { sgd } from '../../../src/learn/optimizer/sgd.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { deviation } from '../../golden.js';

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
}
type Saved = Record<string, string>;

const torch: Torch = JSON.parse(readFileSync(new URL('torch-optimizers.json', import.meta.url), 'utf8'));
const updates = 50;
const floats = (base64: string): Float32Array => {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
  return new Float32Array(bytes.buffer);
};
const others = adamw({ rate: 0.01, decay: 0.1 });
const plain = { rate: 0.01, beta1: 0.85, beta2: 0.98, decay: 0.1 };

const rows: Record<string, () => Optimizer> = {
  sgd: () => sgd({ rate: 0.1, momentum: 0.9, decay: 0.01 }),
  'sgd nesterov': () => sgd({ rate: 0.1, momentum: 0.9, nesterov: true, decay: 0.01 }),
  'sgd warm-up': () => sgd({ rate: warmUp(20, 0.2), momentum: 0.9 }),
  adam: () => adam({ rate: 0.01, decay: 0.02 }),
  adamw: () => adamw(plain),
  'adamw clipped': () => clipByNorm(0.3, adamw({ rate: 0.01 })),
  lars: () => lars({ rate: 1, decay: 0.05, trust: 0.02 }),
  'lars always': () => lars({ rate: 1, trust: 0.02, adapt: 'always' }),
  'lars plain vectors': () => lars({ rate: 2, decay: 0.05, trust: 0.02, vectors: false }),
  muon: () => muon({ rate: 0.02, others }),
  'muon matched': () => muon({ rate: 0.01, nesterov: false, adjustment: 'match-rms-adamw', others }),
  'muon unclamped': () => muon({ rate: 0.02, adjustment: 'spectral-unclamped', others }),
};

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

function expectNear(found: Weights, wanted: Saved, relative: number): void {
  expect([...found.keys()]).toEqual(Object.keys(wanted));
  for (const [name, tensor] of found) {
    const allowed = { relative, absolute: 0 };
    expect(deviation(tensor.dataSync(), floats(wanted[name]!), allowed), name).toBeLessThanOrEqual(1);
  }
}

describe.each(Object.entries(rows))('%s', (name, make) => {
  test('fifty recorded gradients move the weights of an MLP and of a convolution to where PyTorch moves them', () => {
    expectNear(fed(make()).weights, torch.recorded[name]!, name.startsWith('muon') ? 1e-2 : 1e-5);
  });

  test('fifty updates of an MLP by its own gradients end where PyTorch ends, and leave no tensor behind', () => {
    const model = mlp([3, 4, 2]);
    const x = tf.tensor2d(floats(torch.x), [12, 3]);
    const labels = tf.tensor1d(torch.labels, 'int32');
    const optimizer = make();
    let weights = started([...model.start(0).keys()]);
    let memory: Weights = new Map();
    let tensors = 0;
    for (let number = 1; number <= updates; number++) {
      const { loss, correct, gradients } = gradientsOf(model, crossEntropy(), weights, x, labels);
      tf.dispose([loss, correct]);
      ({ weights, memory } = optimizer.move(weights, gradients, memory, { epoch: 1, number }));
      if (number === 1) tensors = tf.memory().numTensors;
    }
    expect(tf.memory().numTensors).toBe(tensors);
    expectNear(weights, torch.trained[name]!, 1e-4);
  });
});

test('moving averages are those of PyTorch, and the weights move as without them, to the bit', () => {
  const { weights, averages } = fed(ema(0.9, adamw(plain)));
  expectNear(averages!, torch.averages, 1e-5);
  const bits = (of: Weights) => [...of].map(([name, tensor]) => [name, tensor.dataSync()]);
  expect(bits(weights)).toEqual(bits(fed(adamw(plain)).weights));
});
