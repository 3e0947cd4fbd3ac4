import { beforeAll, describe, expect, test } from 'vitest';
import { checkEven } from '../../../src/learn/loss/gradients.js';
import { barlowTwins } from '../../../src/learn/loss/views.js';
import { hasNative } from '../../../src/tensorflow/ops/eager.js';
import { loadTensorFlow } from '../../../src/tensorflow/tf.js';
import { inProcessGroup } from './processes.js';

interface Trained {
  readonly loss: number;
  readonly accuracy: number;
  /** How far each weight has gone. */
  readonly moved: readonly number[];
  readonly sigma: Readonly<Record<string, number>>;
}

beforeAll(() => loadTensorFlow());

const norm = (values: readonly number[]): number => Math.hypot(...values);

/** How far apart two networks are, as a part of the way that they went. */
const apart = (one: Trained, other: Trained): number =>
  norm(one.moved.map((value, i) => value - other.moved[i]!)) / norm(one.moved);

describe.each([
  { kind: 'mlp', ranks: 2, updates: 20 },
  { kind: 'mlp', ranks: 4, updates: 20 },
  { kind: 'accumulated', ranks: 2, updates: 9 },
  // Muon's iterations multiply the rounding in small singular values
  { kind: 'composed', ranks: 2, updates: 10, within: 1e-4 },
  { kind: 'resnet', ranks: 2, updates: 1 },
  { kind: 'resnet', ranks: 4, updates: 1 },
  { kind: 'barlow', ranks: 2, updates: 1 },
])('$kind on $ranks ranks', ({ kind, ranks, updates, within = 1e-5 }) => {
  test('is what one process makes of the whole batches, and the same on every rank', async ({ skip }) => {
    if (!hasNative()) skip('collectives need the native runtime');
    const args = [kind, String(updates)];
    const [whole] = await inProcessGroup<Trained>('training.ts', 1, args);
    const shares = await inProcessGroup<Trained>('training.ts', ranks, args, { synchronized: true });
    for (const share of shares.slice(1)) expect(share).toEqual(shares[0]);
    expect(apart(whole!, shares[0]!)).toBeLessThan(within);
    expect(shares[0]!.loss).toBeCloseTo(whole!.loss, 4);
    if (kind !== 'barlow') expect(shares[0]!.accuracy).toBe(whole!.accuracy);
    expect(Object.keys(shares[0]!.sigma)).toEqual(Object.keys(whole!.sigma));
    for (const [name, sigma] of Object.entries(whole!.sigma)) expect(shares[0]!.sigma[name]).toBeCloseTo(sigma, 4);
  });
});

test('a loss over views refuses a batch that ranks share unevenly, on each of them', () => {
  expect(() => checkEven(barlowTwins(), 6, { ranks: 2 })).not.toThrow();
  expect(() => checkEven(barlowTwins(), 7, { ranks: 2 })).toThrow(
    "loss 'barlow-twins' compares the samples of all ranks, which do not have as many each",
  );
});
