import { expect, test } from 'vitest';
import { isDue } from '../../src/run/due.js';

const saved = { at: 1000, update: 40, epoch: 2 };

test.each([
  [{ snapshotEvery: 5 }, { at: 6000, update: 999, epoch: 9 }, false],
  [{ snapshotEvery: 5 }, { at: 6001, update: 40, epoch: 2 }, true],
  [{ snapshotEvery: 99, snapshotUpdates: 10 }, { at: 1001, update: 49, epoch: undefined }, false],
  [{ snapshotEvery: 99, snapshotUpdates: 10 }, { at: 1001, update: 50, epoch: undefined }, true],
  [{ snapshotEvery: 99, snapshotEpochs: 2 }, { at: 1001, update: 40, epoch: 2 }, false], // the one that was saved
  [{ snapshotEvery: 99, snapshotEpochs: 2 }, { at: 1001, update: 60, epoch: 3 }, false],
  [{ snapshotEvery: 99, snapshotEpochs: 2 }, { at: 1001, update: 79, epoch: undefined }, false], // within the fourth
  [{ snapshotEvery: 99, snapshotEpochs: 2 }, { at: 1001, update: 80, epoch: 4 }, true],
  [{ snapshotEvery: 99, snapshotEpochs: 2 }, { at: 1001, update: 0, epoch: 0 }, false], // before training
])('%j at %j: %j', (cadence, now, due) => {
  expect(isDue(cadence, saved, now)).toBe(due);
});
