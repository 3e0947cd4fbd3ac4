import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { Data } from '../../src/flow/data.js';
import type { Outcome } from '../../src/flow/flow.js';
import { resolveConfig } from '../../src/run/config.js';
import { Execution, type ExecutionOptions } from '../../src/run/execution.js';
import { hashAll } from '../../src/storage/digest.js';
import { readMetrics } from '../../src/storage/metric-reader.js';
import { RunFolder } from '../../src/storage/run-folder.js';
import { readNetworkState } from '../../src/storage/run-state.js';
import { SnapshotError } from '../../src/storage/snapshot-format.js';
import type { FileSystem } from '../../src/surroundings/files.js';
import { files as disk } from '../../src/surroundings/surroundings.js';
import { loadTensorFlow } from '../../src/tensorflow/tf.js';
import accumulating from './accumulating.js';

const base = mkdtempSync(join(tmpdir(), 'weir-snapshot-faults-'));
afterAll(() => rmSync(base, { recursive: true }));
afterEach(() => void vi.restoreAllMocks());

const config = resolveConfig(accumulating.config, {}, ['epochs=12']); // 36 updates: a snapshot every 6, and the last
let count = 0;

const fresh = (): RunFolder =>
  RunFolder.create(join(base, `run-${count++}`), {
    module: 'test/run/accumulating.ts',
    pipeline: accumulating.name,
    seed: 1,
    config,
  });

async function run(
  folder: RunFolder,
  onSnapshotError: ExecutionOptions['onSnapshotError'],
): Promise<{ outcome: Outcome; warned: string[] }> {
  const warned: string[] = [];
  const nothing = (): void => undefined;
  const watch = {
    network: nothing,
    record: nothing,
    snapshot: nothing,
    barrier: nothing,
    held: nothing,
    warn: (text: string) => void warned.push(text),
  };
  const options = { snapshotEvery: 3600, snapshotUpdates: 6, onSnapshotError, watch };
  const outcome = await new Execution(folder, accumulating as never, options).run();
  return { outcome, warned };
}

/** SHA-256 of the last state and of the log. */
function hash(folder: RunFolder): string {
  const { state, done } = readNetworkState(folder.snapshots('accumulating'))!;
  expect(done).toBe(true);
  return hashAll(state.flow as unknown as Data, readMetrics(join(folder.path, 'metrics.ndjson')));
}

/** From the third snapshot on, `times` of them fail at this call. */
function fail(call: keyof FileSystem, code: string, times: number): void {
  let snapshots = 0;
  const parts = new Set<unknown>(); // open files that become snapshots: the log is written by the same calls
  const creating = disk.create;
  vi.spyOn(disk, 'create').mockImplementation((path) => {
    if (!path.includes('.snapshot')) return creating(path); // config.json and identity.json
    if (++snapshots > 2 && snapshots <= 2 + times && call === 'create') throw failure();
    const part = creating(path);
    parts.add(part);
    return part;
  });
  const failure = (): Error => Object.assign(new Error(code), { code });
  if (call === 'create') return;
  const real = disk[call] as (...args: unknown[]) => unknown;
  vi.spyOn(disk, call).mockImplementation(((...args: unknown[]) => {
    const ofSnapshot = typeof args[0] === 'string' || parts.has(args[0]);
    if (ofSnapshot && snapshots > 2 && snapshots <= 2 + times) throw failure();
    return real(...args);
  }) as never);
}

let whole: string;
beforeAll(async () => {
  await loadTensorFlow();
  const folder = fresh();
  expect(await run(folder, 'stop')).toEqual({ outcome: 'done', warned: [] });
  whole = hash(folder);
});

const faults = [
  ['write', 'EIO', 'the disk failed'],
  ['write', 'ENOSPC', 'the disk is full'],
  ['create', 'EROFS', 'the file system is read-only'],
  ['create', 'EACCES', 'permission is denied'],
  ['sync', 'EIO', 'the disk failed'],
  ['rename', 'EIO', 'the disk failed'],
  ['syncFolder', 'EIO', 'the disk failed'],
] as const;

test.each(faults)(
  'stop: %s that fails with %s ends the run by name; resumed, it ends in the same bits',
  async (call, code, reason) => {
    const folder = fresh();
    fail(call, code, 1);
    const error = await run(folder, 'stop').catch((error) => error);
    expect(error).toBeInstanceOf(SnapshotError);
    expect(error.message).toMatch(/cannot write snapshot .*run-\d+\/snapshots\/accumulating\/000003-18\.snapshot: /);
    expect(error.message).toContain(`${reason} (${code})`);
    expect(error.remedy).toContain('the earlier snapshots are as they were');
    const { state, done } = readNetworkState(folder.snapshots('accumulating'))!;
    expect([done, state.update]).toEqual([false, call === 'syncFolder' ? 18 : 12]); // whole there, only not known to be safe
    expect(await run(folder, 'stop')).toEqual({ outcome: 'done', warned: [] });
    expect(hash(folder)).toBe(whole);
  },
);

test.each(faults)(
  'warn: %s that fails with %s is told each time, and the run goes on to the same bits',
  async (call, code, reason) => {
    const folder = fresh();
    fail(call, code, 2);
    const { outcome, warned } = await run(folder, 'warn');
    expect(outcome).toBe('done');
    expect(warned).toHaveLength(2);
    for (const [i, text] of warned.entries()) {
      expect(text).toContain(`-${18 + 6 * i}.snapshot: ${reason} (${code}); going on without`);
    }
    expect(readdirSync(join(folder.path, 'snapshots/accumulating')).filter((name) => name.endsWith('.part'))).toEqual(
      [],
    );
    expect(hash(folder)).toBe(whole);
  },
);

test('the last snapshot of a network must be written, whatever is asked for: the run ends by name and goes on later', async () => {
  const folder = fresh();
  fail('write', 'ENOSPC', 100);
  const error = await run(folder, 'warn').catch((error) => error);
  expect(error.message).toMatch(/-done\.snapshot: the disk is full \(ENOSPC\)$/);
  vi.restoreAllMocks();
  expect(await run(folder, 'warn')).toEqual({ outcome: 'done', warned: [] });
  expect(hash(folder)).toBe(whole);
});
