import {
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  statfsSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { WeirError } from '../flow/errors.js';
import { makeFolder } from '../surroundings/folders.js';
import { onDisk } from './disk.js';
import { endedInSlurm, isAlive, locationOf, nameOfProcess, type ProcessId, thisProcess } from './process-id.js';

/** Linux's numbers of file systems that several machines mount; on others none is known. */
const network: Readonly<Record<number, string>> = {
  26985: 'NFS',
  20859: 'SMB',
  4283649346: 'CIFS',
  4266872130: 'SMB2',
  198183888: 'Lustre',
  1196443219: 'GPFS',
  12805120: 'Ceph',
  428016422: 'BeeGFS',
  1397113167: 'AFS',
};

/** Of those that several machines may mount: FUSE, 9P, OCFS2, GFS2. */
const perhaps = new Set([1702057286, 16914839, 1952539503, 18225520]);

const typeOf = (folder: string): number => statfsSync(folder).type;

/** The name of the file system where it is one that several machines mount. */
export const networkFileSystem = (folder: string, type = typeOf): string | undefined => network[type(folder) >>> 0];

/** Whether no other machine can write there. */
function isOwnDisk(folder: string): boolean {
  if (process.platform !== 'linux') return false;
  try {
    return networkFileSystem(folder) === undefined && !perhaps.has(typeOf(folder) >>> 0);
  } catch {
    return false;
  }
}

/** A folder that belongs to this process until it is released, or the process ends. */
export interface FolderLock {
  release(): void;
  /** @throws {WeirError} where the lock is gone: another process took the folder over, since a user said that this one is dead */
  check(): void;
}

/** Another process holds the folder. */
class FolderInUse extends WeirError {
  override name = 'FolderInUse';
}

export interface LockOptions {
  /** Names of processes (`nameOfProcess`) of other machines or containers that are dead, as the user says. */
  readonly dead?: readonly string[];
  /** The kind of folder, for messages. */
  readonly kind?: string;
  /**
   * Milliseconds after which the lock of a process that cannot be asked counts no more. Its holder touches the lock four times as often,
   * while its event loop runs: not for a run, one of whose updates may hold it for minutes. None: it counts until the user says otherwise.
   */
  readonly stale?: number;
}

/**
 * Makes this process the only one that works on a folder, which it makes where that is missing.
 *
 * The lock is a file `lock.N` that names the process. It is made whole and exclusively (by a hard link), and a lock whose holder has died
 * is never taken over but followed by `lock.N+1`, so of two processes that find it only one succeeds. The lock of a process that was
 * killed counts no more at once. A process of another machine or container cannot be asked whether it lives, see `stale` and `dead`.
 *
 * @throws {FolderInUse} which names the process that holds the folder
 * @throws {WeirError} where the disk refuses, or a lock cannot be read
 */
export function lockFolder(folder: string, options: LockOptions = {}): FolderLock {
  const { kind = 'run folder', stale } = options;
  const draft = join(folder, `lock-draft-${process.pid}-${performance.now()}`);
  const path = onDisk(
    `lock the ${kind} ${folder}`,
    () => {
      try {
        makeFolder(folder);
        writeFileSync(draft, JSON.stringify(thisProcess()), { flush: true }); // whole, even if the machine dies next
        return take(folder, draft, options);
      } finally {
        remove(draft);
      }
    },
    'see that this user may write there and that the disk is not full',
  );
  const touching = stale === undefined ? undefined : setInterval(() => touch(path), stale / 4).unref();
  return {
    release() {
      clearInterval(touching);
      remove(path);
    },
    check: () => stillThere(folder, path),
  };
}

/**
 * The same, once no other process holds the folder.
 *
 * @param options.patience milliseconds to wait at most; for ever where none are given
 * @param options.waiting called each time that the folder is held
 * @throws as `lockFolder`
 */
export async function lockWhenFree(
  folder: string,
  {
    patience = Number.POSITIVE_INFINITY,
    waiting,
    ...options
  }: LockOptions & { patience?: number; waiting?: () => void },
): Promise<FolderLock> {
  for (const until = performance.now() + patience; ; ) {
    try {
      return lockFolder(folder, options);
    } catch (error) {
      if (!(error instanceof FolderInUse) || performance.now() > until) throw error;
      waiting?.();
      await setTimeout(100);
    }
  }
}

/** The process that holds the folder, or held it when it was killed; undefined where there is none. */
export function holderOf(
  folder: string,
): { readonly mark: ProcessId; readonly alive: boolean | 'unknown' } | undefined {
  const newest = holders(folder).sort((a, b) => b.number - a.number)[0];
  return newest?.mark && { mark: newest.mark, alive: isAlive(newest.mark, { ownDisk: isOwnDisk(folder) }) };
}

function stillThere(folder: string, path: string): void {
  if (existsSync(path) || !existsSync(folder)) return;
  const now = holderOf(folder)?.mark;
  throw new WeirError(
    `the run folder ${folder} was taken over${now === undefined ? '' : ` by process ${now.pid} of '${now.host}'`}: a user said that this process is dead`,
    'this process stops, and writes no more; what it did since its last snapshot is made again by the other',
  );
}

function take(folder: string, draft: string, options: LockOptions): string {
  for (;;) {
    const before = holders(folder);
    refuseLiving(folder, before, options);
    const number = Math.max(0, ...before.map((holder) => holder.number)) + 1;
    const path = join(folder, `lock.${number}`);
    if (!linked(draft, path)) continue; // someone was quicker: look again

    const others = holders(folder).filter((holder) => holder.number !== number);
    try {
      refuseLiving(folder, others, options); // one that came between our look and our link
    } catch (error) {
      remove(path);
      throw error;
    }
    for (const dead of others) remove(dead.path);
    removeDrafts(folder);
    return path;
  }
}

/** Drafts of processes killed in the moment before they linked them. */
function removeDrafts(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!/^lock-draft-\d+-/.test(name)) continue;
    const mark = readMark(join(folder, name));
    if (typeof mark === 'object' && isAlive(mark) === false) remove(join(folder, name));
  }
}

interface Holder {
  readonly path: string;
  readonly number: number;
  readonly mark?: ProcessId;
}

function holders(folder: string): Holder[] {
  return readdirSync(folder).flatMap((name): Holder[] => {
    const number = /^lock\.(\d+)$/.exec(name)?.[1];
    if (!number) return [];
    const path = join(folder, name);
    const mark = readMark(path);
    if (mark === 'gone') return []; // released meanwhile
    return [{ path, number: Number(number), ...(mark && { mark }) }];
  });
}

/** The mark in a file; undefined where it cannot be understood, or read. */
function readMark(path: string): ProcessId | 'gone' | undefined {
  try {
    const mark = JSON.parse(readFileSync(path, 'utf8')) as ProcessId | null;
    return typeof mark?.pid === 'number' && typeof mark.host === 'string' ? mark : undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'gone' : undefined;
  }
}

function refuseLiving(folder: string, holders: readonly Holder[], options: LockOptions): void {
  const { dead = [], kind = 'run folder', stale = Number.POSITIVE_INFINITY } = options;
  const ownDisk = isOwnDisk(folder);
  for (const { path, mark } of holders) {
    if (!mark) throw new WeirError(`the lock ${path} cannot be read`, `if no process uses ${folder}, delete that file`);
    const state = isAlive(mark, { ownDisk });
    if (state === true) {
      throw new FolderInUse(
        `the ${kind} ${folder} is in use by process ${mark.pid}`,
        `wait until it ends, or stop it with \`kill ${mark.pid}\`; one folder takes one process at a time`,
      );
    }
    if (state === 'unknown' && !dead.includes(nameOfProcess(mark)) && !endedInSlurm(mark) && !isOlder(path, stale)) {
      const since = mark.since === undefined ? '' : `, since ${mark.since.slice(0, 19).replace('T', ' ')} UTC`;
      throw new FolderInUse(
        `the ${kind} ${folder} is in use by process ${mark.pid} of '${mark.host}'${since}: ${locationOf(mark)}, which cannot be asked from here`,
        `wait until it ends; if it is dead for certain, say so: --take-over ${nameOfProcess(mark)}`,
      );
    }
  }
}

/** Whether a lock was last touched so many milliseconds ago, as far as the clocks of two machines agree. */
const isOlder = (path: string, milliseconds: number): boolean => {
  const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: Number.NEGATIVE_INFINITY };
  return Date.now() - mtimeMs > milliseconds;
};

function touch(path: string): void {
  try {
    utimesSync(path, new Date(), new Date());
  } catch {
    // The lock is gone: `check` tells it.
  }
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP') throw error;
  }
  try {
    writeFileSync(to, readFileSync(from), { flag: 'wx' }); // a file system without hard links
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Gone already, or the folder is: either way no process holds it.
  }
}
