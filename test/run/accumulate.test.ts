import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Outcome } from '../../src/flow/flow.js';
import { recordsOf } from '../../src/run/run-log.js';
import type { RunFolder } from '../../src/storage/run-folder.js';
import { loadTensorFlow } from '../../src/tensorflow/tf.js';
import { hashOf } from '../cli/weir.js';
import accumulating from './accumulating.js';
import { folderOf, runUpTo } from './stopped.js';

const base = mkdtempSync(join(tmpdir(), 'weir-accumulate-'));
beforeAll(() => loadTensorFlow());
afterAll(() => rmSync(base, { recursive: true }));

const folder = (name: string): RunFolder => folderOf(join(base, name), 'test/run/accumulating.ts', accumulating);
const run = (folder: RunFolder, stopAt?: number): Promise<Outcome> => runUpTo(folder, accumulating, stopAt);

test('a run whose updates take several batches, stopped at random updates and resumed, ends in the same bits', async () => {
  const [whole, stopped] = [folder('whole'), folder('stopped')];
  expect(await run(whole)).toBe('done');
  const updates = [...recordsOf(whole)].filter(({ stream }) => stream === 'updates');
  expect(updates.at(-1)).toMatchObject({ number: 360, epoch: 120, endsEpoch: true }); // three an epoch, of 18, 18 and 4 samples
  for (let at = 1; at < 340; at += 20 + Math.floor(60 * Math.random())) expect(await run(stopped, at)).toBe('stopped');
  expect(await run(stopped)).toBe('done');
  expect(await hashOf(stopped.path)).toBe(await hashOf(whole.path));
});
