import { beforeAll, describe, expect, test } from 'vitest';
import { checkEven } from '../../../src/learn/loss/gradients.js';
import { barlowTwins } from '../../../src/learn/loss/views.js';
import { hasNative } from '../../../src/tensorflow/ops/eager.js';
import { loadTensorFlow } from '../../../src/tensorflow/tf.js';
import { inProcessGroup } from './processes.js';
import { type Kind, type Trained, trained } from './training.js';

beforeAll(() => loadTensorFlow());

const norm = (values: readonly number[]): number => Math.hypot(...values);

/** How far apart two networks are, as a part of the way that they went. */
const apart = (one: Trained, other: Trained): number =>
  norm(one.moved.map((value, i) => value - other.moved[i]!)) / norm(one.moved);

describe.each([
  { ranks: 2, updates: { mlp: 20, accumulated: 9, adversarial: 10, composed: 10, muon: 10, resnet: 1, barlow: 1 } },
  { ranks: 4, updates: { mlp: 20, resnet: 1 } },
])('on $ranks ranks', ({ ranks, updates }) => {
  const kinds = Object.entries(updates) as [Kind, number][];
  let all: Record<Kind, Trained>[] | undefined;
  beforeAll(async () => {
    if (hasNative())
      all = await inProcessGroup(
        ranks,
        kinds.map(([kind, count]) => `${kind}=${count}`),
      );
  });

  test.for(kinds)(
    '%s is what one process makes of the whole batches, and the same on every rank',
    ([kind, count], { skip }) => {
      if (all === undefined) return skip('collectives need the native runtime');
      const whole = trained(kind, count);
      const [share, ...others] = all.map((one) => one[kind]);
      for (const other of others) expect(other).toEqual(share);
      // the readout's gradient has a singular value of 0, and Muon multiplies its rounding by up to 485: see muon.ts and its tests
      expect(apart(whole, share!)).toBeLessThan(kind === 'muon' ? 1e-4 : 1e-5);
      expect(share!.loss).toBeCloseTo(whole.loss, 4);
      if (kind !== 'barlow') expect(share!.accuracy).toBe(whole.accuracy);
      expect(Object.keys(share!.sigma)).toEqual(Object.keys(whole.sigma));
      for (const [name, sigma] of Object.entries(whole.sigma)) expect(share!.sigma[name]).toBeCloseTo(sigma, 4);
    },
  );
});

test('a loss over views refuses a batch that ranks share unevenly, on each of them', () => {
  expect(() => checkEven(barlowTwins(), 6, { ranks: 2 })).not.toThrow();
  expect(() => checkEven(barlowTwins(), 7, { ranks: 2 })).toThrow(
    "loss 'barlow-twins' compares the samples of all ranks, which do not have as many each",
  );
});
