import fs, { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Data } from '../../src/flow/data.js';
import { resolveConfig } from '../../src/run/config.js';
import { Execution } from '../../src/run/execution.js';
import { hashAll } from '../../src/storage/digest.js';
import { readMetrics } from '../../src/storage/metric-reader.js';
import { RunFolder } from '../../src/storage/run-folder.js';
import { readNetworkState } from '../../src/storage/run-state.js';
import { loadTensorFlow } from '../../src/tensorflow/tf.js';
import accumulating from './accumulating.js';

const base = mkdtempSync(join(tmpdir(), 'weir-full-disk-'));
const config = resolveConfig(accumulating.config, {}, ['epochs=150']); // 450 updates: more of a log than may wait in memory
const write = fs.writeSync;

/** From now on the disk takes so many bytes more. */
function room(bytes: number): void {
  let left = bytes;
  fs.writeSync = ((file: number, data: Uint8Array, from?: number | null) => {
    const at = from ?? 0;
    if (left <= 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const wrote = write(file, data, at, Math.min(data.length - at, left));
    left -= wrote;
    return wrote;
  }) as typeof fs.writeSync;
  syncBuiltinESMExports();
}

function roomAgain(): void {
  fs.writeSync = write;
  syncBuiltinESMExports();
}

const fresh = (name: string): RunFolder =>
  RunFolder.create(join(base, name), {
    module: 'test/run/accumulating.ts',
    pipeline: accumulating.name,
    seed: 1,
    config,
  });

/** Runs with a snapshot every 60 updates; `after` is called with each. @returns the warnings */
async function run(folder: RunFolder, after: (update: number) => void = () => undefined): Promise<string[]> {
  const warned: string[] = [];
  const nothing = (): void => undefined;
  const watch = {
    network: nothing,
    record: nothing,
    barrier: nothing,
    held: nothing,
    snapshot: (_path: string, update: number) => after(update),
    warn: (text: string) => void warned.push(text),
  };
  const options = { snapshotEvery: 3600, snapshotUpdates: 60, onSnapshotError: 'warn', watch } as const;
  await new Execution(folder, accumulating as never, options).run().catch((error) => {
    throw Object.assign(error, { warned });
  });
  return warned;
}

const log = (folder: RunFolder): string => join(folder.path, 'metrics.ndjson');

function hash(folder: RunFolder): string {
  const { state, done } = readNetworkState(folder.snapshots('accumulating'))!;
  expect(done).toBe(true);
  return hashAll(state.flow as unknown as Data, readMetrics(log(folder)));
}

let whole: string;
beforeAll(async () => {
  await loadTensorFlow();
  const folder = fresh('whole');
  await run(folder);
  whole = hash(folder);
});
afterEach(roomAgain);
afterAll(() => rmSync(base, { recursive: true }));

test('warn, on a disk that stays full: it goes on for as long as the log fits in memory, stops by name, and loses no line', async () => {
  const folder = fresh('full');
  const error = await run(folder, (update) => update === 120 && room(1000)).catch((error) => error);
  expect(error.message).toBe(`cannot write the metric log ${log(folder)}: the disk is full (ENOSPC)`);
  expect(error.remedy).toMatch(/^free some space, then go on with `weir resume`/);
  expect(error.warned.length).toBeGreaterThan(1); // 64 KiB of lines are some hundred updates
  for (const text of error.warned) expect(text).toMatch(/ENOSPC.*; going on without this snapshot$/);
  const numbers = [...readMetrics(log(folder))].flatMap(({ stream, number }) => (stream === 'updates' ? [number] : []));
  expect(numbers).toEqual(Array.from(numbers, (_, update) => update)); // each once; a half at the end is no line
  expect(readFileSync(log(folder), 'utf8').endsWith('\n')).toBe(false);
  roomAgain();
  expect(await run(folder)).toEqual([]);
  expect(hash(folder)).toBe(whole);
});

test('warn, on a disk that is full for a while: it goes on to the same bits', async () => {
  const folder = fresh('a while');
  let update = 0;
  const opening = setInterval(() => update > 0 && roomAgain(), 20);
  const warned = await run(folder, (now) => {
    update = now;
    if (now === 120) room(1000);
  }).finally(() => clearInterval(opening));
  expect(hash(folder)).toBe(whole);
  for (const text of warned) expect(text).toContain('ENOSPC');
});
