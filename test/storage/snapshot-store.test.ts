import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import type { Data } from '../../src/flow/data.js';
import { SnapshotError } from '../../src/storage/snapshot-format.js';
import { SnapshotStore } from '../../src/storage/snapshot-store.js';
import type { FileSystem } from '../../src/surroundings/files.js';
import { files as disk } from '../../src/surroundings/surroundings.js';
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

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-store-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const dataOf = (update: number): Data => ({ update, kernel: new Float32Array(5000).fill(update) });
const write = (store: SnapshotStore, update: number): string => store.write(update, dataOf(update), { update });
const names = (): string[] => readdirSync(folder).sort();

function flip(path: string, at = -100): void {
  const bytes = readFileSync(path);
  bytes[bytes.length + at]! ^= 1;
  writeFileSync(path, bytes);
}

function failure(work: () => unknown): SnapshotError {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(SnapshotError);
    return error as SnapshotError;
  }
  throw new Error('did not fail');
}

test('the last three stay, and the pinned one', () => {
  const store = new SnapshotStore(join(folder, 'made', 'snapshots'));
  expect(store.newest()).toBeUndefined();
  store.write('burn-in', dataOf(1), {});
  for (let update = 10; update <= 50; update += 10) write(store, update);
  store.write('final', dataOf(60), { update: 60 });
  store.write('final', dataOf(70), { update: 70 });
  expect(store.list().map(({ label, pinned }) => `${label}${pinned ? ' pinned' : ''}`)).toEqual([
    'final pinned',
    '50',
    '40',
    '30',
    'burn-in pinned',
  ]);
  expect(store.newest()).toMatchObject({ about: { update: 70 }, refused: [], data: dataOf(70) });
  expect(store.pinned('burn-in')?.data).toEqual(dataOf(1));
  expect(store.pinned('other')).toBeUndefined();
  expect(store.open(store.list()[1]!.path).about).toEqual({ update: 50 });
  expect(failure(() => store.write('../up', null, {})).message).toBe("'../up' cannot name a snapshot");
});

test('a torn or altered one is reported and the one before it used; it takes no place of a whole one', () => {
  const store = new SnapshotStore(folder, { keep: 2 });
  write(store, 1);
  write(store, 2);
  const torn = write(store, 3);
  const bytes = readFileSync(torn);
  writeFileSync(torn, bytes.subarray(0, bytes.length / 2));
  const again = new SnapshotStore(folder, { keep: 2 });
  const found = again.newest()!;
  expect(found.about).toEqual({ update: 2 });
  expect(found.refused.map(({ message }) => message)).toEqual([
    expect.stringContaining(`snapshot ${torn}: is cut short in segment 0 'kernel'`),
  ]);
  write(again, 3);
  expect(again.list().map(({ label }) => label)).toEqual(['3', '3', '2']);
  flip(again.list()[0]!.path);
  expect(again.newest()!.about).toEqual({ update: 2 });
  write(again, 4);
  write(again, 5);
  expect(again.list().map(({ label }) => label)).toEqual(['5', '4']);
  for (const { path } of again.list()) flip(path);
  const error = failure(() => again.newest());
  expect(error.message).toContain(`none of the 2 snapshots in ${folder} can be used`);
  expect(error.message.match(/segment 0 'kernel'/g)).toHaveLength(2);
});

test('the head of the newest is read without its arrays, and refused where it is altered', () => {
  const store = new SnapshotStore(folder);
  expect(store.newestHead()).toBeUndefined();
  write(store, 1);
  const path = write(store, 2);
  expect(store.newestHead()).toMatchObject({
    path,
    label: '2',
    about: { update: 2 },
    data: { update: 2, kernel: new Float32Array(0) },
  });
  flip(path); // in a segment
  expect(store.newestHead()).toMatchObject({ about: { update: 2 } });
  flip(path, 80 - readFileSync(path).length);
  expect(failure(() => store.newestHead()).message).toContain('its header is altered');
});

test('one that is set aside is known of until another of its name is pinned; a late one comes before all', () => {
  const store = new SnapshotStore(folder, { keep: 1 });
  const trunk = store.write('epoch-3', dataOf(3), {});
  const done = store.write('done', dataOf(9), {});
  for (const path of [trunk, done]) store.setAside(path);
  expect(store.list()).toEqual([]);
  expect(['epoch-3', 'done', 'other'].map((name) => store.had(name))).toEqual([true, true, false]);
  store.write('done', dataOf(9), {});
  store.write('epoch-3', dataOf(3), {}, { late: true });
  expect(names()).toEqual(['000000-epoch-3.snapshot', '000001-done.snapshot']);
  expect(store.newest()!.data).toEqual(dataOf(9));
});

test('what a crash left half-written is removed by the next write', () => {
  const store = new SnapshotStore(folder);
  write(store, 1);
  writeFileSync(join(folder, '000002-2.snapshot.part'), 'half');
  writeFileSync(join(folder, 'notes.txt'), 'mine');
  expect(store.newest()!.about).toEqual({ update: 1 });
  write(store, 2);
  expect(names()).toEqual(['000001-1.snapshot', '000002-2.snapshot', 'notes.txt']);
});

/** The disk, on which the nth call fails with this code, and all after it in the same call of the store if `dead`. */
function failing(n: number, code: string, dead = false): { files: FileSystem; calls: () => number } {
  let calls = 0;
  const files = new Proxy(disk, {
    get: (target, name: keyof FileSystem) =>
      ((...args: unknown[]) => {
        calls++;
        if (calls === n || (dead && calls > n)) throw Object.assign(new Error(code), { code });
        // Half a write at a time, as a disk may do.
        if (name === 'write') args[1] = (args[1] as Uint8Array).subarray(0, 9000);
        return (target[name] as (...args: unknown[]) => unknown)(...args);
      }) as never,
  });
  return { files, calls: () => calls };
}

test('whichever call fails, and if all do after it, the earlier snapshot is whole and the next write succeeds', () => {
  const clean = failing(-1, '');
  write(new SnapshotStore(folder, { files: clean.files }), 0);
  const calls = clean.calls();
  expect(calls).toBeGreaterThan(8);
  for (const code of ['ENOSPC', 'EIO', 'EACCES']) {
    for (const dead of [false, true]) {
      for (let n = 1; n <= calls; n++) {
        write(new SnapshotStore(folder), n);
        const { files } = failing(n, code, dead);
        let wrote = true;
        try {
          write(new SnapshotStore(folder, { files }), 1000 + n);
        } catch (error) {
          wrote = false;
          expect(error).toBeInstanceOf(SnapshotError);
          expect((error as SnapshotError).message).toContain(`(${code})`);
        }
        const store = new SnapshotStore(folder);
        const update = Number(store.newest()!.about.update);
        expect(store.newest()!.refused).toEqual([]);
        if (wrote) expect(update).toBe(1000 + n);
        if (!dead && !wrote) expect(names().some((name) => name.endsWith('.part'))).toBe(false);
        write(store, 2000 + n);
        expect(store.list()).toHaveLength(3);
        expect(names()).toHaveLength(3);
      }
    }
  }
});

test('a failure says which and what to do', () => {
  const store = (n: number, code: string, dead = false) =>
    new SnapshotStore(folder, { files: failing(n, code, dead).files });
  expect(failure(() => write(store(4, 'ENOSPC'), 7))).toMatchObject({
    message: `cannot write snapshot ${join(folder, '000001-7.snapshot')}: the disk is full (ENOSPC)`,
    remedy: 'free some space; the earlier snapshots are as they were',
  });
  expect(failure(() => write(store(2, 'EROFS'), 7)).message).toContain('the file system is read-only (EROFS)');
  expect(failure(() => write(store(5, 'EXYZ'), 7)).message).toContain('the file system refused (EXYZ)');
  const path = write(new SnapshotStore(folder), 1);
  write(new SnapshotStore(folder), 2);
  // What cannot be read says nothing about the file, and going back would undo work: it is read again, and then refused.
  expect(store(2, 'EIO').newest()).toMatchObject({ about: { update: 2 }, refused: [] });
  expect(failure(() => store(2, 'EIO', true).newest())).toMatchObject({
    message: `cannot read snapshot ${join(folder, '000002-2.snapshot')}: the disk failed (EIO)`,
    remedy: expect.stringContaining('nothing was changed'),
  });
  expect(failure(() => store(2, 'EACCES').newest()).message).toContain('permission is denied (EACCES)');
  expect(failure(() => store(1, 'ENOENT').open(path)).message).toContain('there is no such file or folder (ENOENT)');
});

const root = process.getuid?.() === 0;

test.skipIf(root || process.platform === 'win32')('a read-only folder leaves the earlier snapshot as it was', () => {
  const store = new SnapshotStore(folder);
  write(store, 1);
  chmodSync(folder, 0o500);
  expect(failure(() => write(store, 2)).message).toContain('permission is denied');
  expect(store.newest()!.about).toEqual({ update: 1 });
  chmodSync(folder, 0o700);
});

function mounted(): boolean {
  if (!root || process.platform !== 'linux') return false;
  const probe = mkdtempSync(join(tmpdir(), 'weir-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', probe], { stdio: 'ignore' });
    execFileSync('umount', [probe]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(probe, { recursive: true });
  }
}

test.skipIf(!mounted())('a disk that is really full, then read-only (tmpfs of 1 MiB; needs root)', () => {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
  try {
    const store = new SnapshotStore(folder);
    store.write(1, { kernel: new Float32Array(100_000) }, { update: 1 }); // 400 kB
    const error = failure(() => store.write(2, { kernel: new Float32Array(200_000) }, { update: 2 }));
    expect(error.message).toContain('the disk is full (ENOSPC)');
    expect(names()).toEqual(['000001-1.snapshot']);
    expect(statfsSync(folder).bfree).toBeGreaterThan(100); // the space is given back
    expect(store.newest()!.about).toEqual({ update: 1 });
    store.write(3, { kernel: new Float32Array(100_000) }, { update: 3 });
    expect(store.newest()!.about).toEqual({ update: 3 });

    execFileSync('mount', ['-o', 'remount,ro', folder]);
    expect(failure(() => write(store, 4)).message).toContain('the file system is read-only (EROFS)');
    expect(store.newest()!.about).toEqual({ update: 3 });
    expect(names()).toEqual(['000001-1.snapshot', '000002-3.snapshot']);
  } finally {
    execFileSync('umount', [folder]);
  }
});
