import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { SnapshotStore } from '../../src/storage/snapshot-store.js';
import { alterNewest } from './altered.js';

const alteredFolder = mkdtempSync(join(tmpdir(), 'weir-altered-'));
afterAll(() => rmSync(alteredFolder, { recursive: true }));

// `npm run bench -- snapshot-altered` does the same to a run's snapshot, with 2,000 bits.
test('cut at every 4 KiB, or one bit of it flipped, a snapshot is refused and the one before it used', () => {
  const store = new SnapshotStore(alteredFolder);
  for (const update of [1, 2]) {
    const kernel = Float32Array.from({ length: 20_000 }, (_, i) => Math.sin(i * update));
    store.write(update, { update, weights: { kernel, bias: new Float32Array(7) } }, { update });
  }
  expect(alterNewest(alteredFolder, { every: 4096, flips: 200, seed: 1 })).toEqual({ tried: 220, wrong: [] });
  expect(new SnapshotStore(alteredFolder).newest()).toMatchObject({ about: { update: 2 }, refused: [] });
});
