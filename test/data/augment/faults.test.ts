import { expect, test } from 'vitest';
import { faultKinds, withFaults } from './faults.js';

const clean = withFaults(60);

// `npm run bench -- worker-faults` does the same with 1,000 items.
test.each(faultKinds)('%s, at one sample in twenty: the same bits as without', async (kind) => {
  const { sha256, faults } = await withFaults(60, kind);
  expect([sha256, faults]).toEqual([(await clean).sha256, 3]);
});

test.each(['throw', 'exit'] as const)('%s, at half of the samples of a block, once each', async (kind) => {
  const { sha256, faults } = await withFaults(60, kind, { at: [30, 32, 34, 36, 38] });
  expect([sha256, faults]).toEqual([(await clean).sha256, 5]);
});
