import * as fs from 'node:fs';
import { WeirError } from '../flow/errors.js';
import { makeFolder } from './folders.js';

/**
 * The calls of a file system that a writer of whole files needs: so few that a test can make each of them fail.
 *
 * All of it is synchronous and throws what `node:fs` throws.
 */
export interface FileSystem {
  /** Names in the folder; none where there is no such folder. */
  list(folder: string): string[];
  makeFolder(folder: string): void;
  /** The file's bytes; the first `most` where that is given. */
  read(path: string, most?: number): Uint8Array;
  /** Opens a new file for writing; one that is there already is an error. */
  create(path: string, mode?: number): number;
  /** Writes some of the bytes, at `position` or behind what was written last; returns how many. */
  write(file: number, bytes: Uint8Array, position?: number): number;
  sync(file: number): void;
  close(file: number): void;
  rename(from: string, to: string): void;
  syncFolder(folder: string): void;
  remove(path: string): void;
}

const readAtOnce = 2 ** 30; // bytes; one call cannot read 2 GiB

/** The disk. */
export const disk: FileSystem = {
  list: (folder) => (fs.existsSync(folder) ? fs.readdirSync(folder) : []),
  makeFolder: (folder) => makeFolder(folder),
  create: (path, mode) => fs.openSync(path, 'wx', mode),
  write: (file, bytes, position) => fs.writeSync(file, bytes, 0, bytes.length, position),
  sync: (file) => fs.fsyncSync(file),
  close: (file) => fs.closeSync(file),
  rename: (from, to) => fs.renameSync(from, to),
  remove: (path) => fs.unlinkSync(path),

  read(path, most = Number.POSITIVE_INFINITY) {
    const file = fs.openSync(path, 'r');
    try {
      const bytes = new Uint8Array(Math.min(fs.fstatSync(file).size, most)); // a buffer of its own, so segments lie aligned
      let at = 0;
      while (at < bytes.length) {
        const got = fs.readSync(file, bytes, at, Math.min(bytes.length - at, readAtOnce), at);
        if (got === 0) break;
        at += got;
      }
      return bytes.subarray(0, at);
    } finally {
      fs.closeSync(file);
    }
  },

  syncFolder(folder) {
    if (process.platform === 'win32') return; // a folder cannot be opened there
    const handle = fs.openSync(folder, 'r');
    try {
      fs.fsyncSync(handle);
    } finally {
      fs.closeSync(handle);
    }
  },
};

const problems: Readonly<Record<string, readonly [reason: string, remedy: string]>> = {
  ENOSPC: ['the disk is full', 'free some space'],
  EDQUOT: ["the user's share of the disk is full", 'free some space'],
  EIO: ['the disk failed', 'check the disk (dmesg), or move the files to another'],
  EACCES: ['permission is denied', 'give this user the right to it'],
  EPERM: ['permission is denied', 'give this user the right to it'],
  EROFS: ['the file system is read-only', 'mount it writable, or name a folder on another'],
  ENOENT: ['there is no such file or folder', 'see that the folder is there, and the name right'],
  ENOTDIR: ['a part of the path is a file', 'name another path'],
  EEXIST: ['there is one already', 'choose another name, or delete it first'],
};

/** The meaning of an error of the file system, and the remedy. The reason ends with the code, as in 'the disk is full (ENOSPC)'. */
export function diskProblem(cause: unknown): { readonly reason: string; readonly remedy: string } {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === undefined) return { reason: message, remedy: 'this is an error of Weir: report it' };
  const [reason, remedy] = problems[code] ?? ['the file system refused', 'see the code'];
  return { reason: `${reason} (${code})`, remedy };
}

/**
 * Does work on a file; an error of the file system becomes a `WeirError` that says what could not be done to which file, and why.
 *
 * @param doing the end of "cannot …", with the file: 'write the metric log /runs/1/metrics.ndjson'
 * @param remedy takes the place of the one that goes with the error's code, or is made of it
 */
export function onDisk<T>(doing: string, work: () => T, remedy?: string | ((usual: string) => string)): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof WeirError) throw cause;
    const problem = diskProblem(cause);
    const mend = typeof remedy === 'function' ? remedy(problem.remedy) : (remedy ?? problem.remedy);
    throw new WeirError(`cannot ${doing}: ${problem.reason}`, mend, { cause });
  }
}
