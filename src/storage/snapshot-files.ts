import * as fs from 'node:fs';
import { WeirError } from '../flow/errors.js';
import { makeFolder } from './folders.js';

/** A snapshot that cannot be read or written, and, where it is one, the segment of it that is to blame. */
export class SnapshotError extends WeirError {
  override name = 'SnapshotError';

  constructor(
    message: string,
    remedy: string | undefined,
    readonly file: string,
    readonly segment?: string,
    options?: ErrorOptions,
  ) {
    super(message, remedy, options);
  }
}

const reasons: Record<string, readonly [reason: string, remedy: string]> = {
  ENOSPC: ['the disk is full', 'free some space'],
  EDQUOT: ["the user's share of the disk is full", 'free some space'],
  EIO: ['the disk failed', 'check the disk (dmesg), or move the run to another'],
  EACCES: ['permission is denied', 'give this user the right to write there'],
  EPERM: ['permission is denied', 'give this user the right to write there'],
  EROFS: ['the file system is read-only', 'mount it writable, or move the run to another'],
  ENOENT: ['there is no such file', 'see `ls` of the folder `snapshots` of the run'],
};

const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException | undefined)?.code ?? error);

/** Codes of a file system that may have passed when it is asked again. */
const passing = new Set(['EIO', 'EAGAIN', 'EBUSY', 'EINTR', 'ESTALE', 'ETIMEDOUT', 'ENFILE', 'EMFILE', 'ENOMEM']);

/** Whether what the file system threw may be over in a moment. */
export const mayPass = (cause: unknown): boolean => passing.has(codeOf(cause));

/** Whether the error says that there is no such file: it was removed since the folder was listed. */
export const isGone = (error: unknown): boolean => error instanceof SnapshotError && codeOf(error.cause) === 'ENOENT';

/** Whether the error is of a file that could not be read, which says nothing of what is in it; else it was read and is altered. */
export const isUnread = (error: SnapshotError): boolean => error.cause !== undefined;

/** A file that could not be read, as what it means: none of its bytes is known to be altered. */
export function unreadable(cause: unknown, file: string): SnapshotError {
  const code = codeOf(cause);
  const [reason, remedy] = reasons[code] ?? ['the file system refused', 'see the code'];
  return new SnapshotError(
    `cannot read snapshot ${file}: ${reason} (${code})`,
    `${remedy}, then ask again: nothing was changed. If it can never be read, move that file away; what it held is then made again from the one before`,
    file,
    undefined,
    { cause },
  );
}

/** What the file system threw, as what it means for the snapshot. */
export function diskError(cause: unknown, what: string, file: string): SnapshotError {
  const code = codeOf(cause);
  const [reason, remedy] = reasons[code] ?? ['the file system refused', 'see the code'];
  const message = `${what}: ${reason} (${code})`;
  return new SnapshotError(message, `${remedy}; the earlier snapshots are as they were`, file, undefined, { cause });
}

/**
 * What the snapshot store asks of a file system: so little that a test can make any of it fail.
 *
 * All of it is synchronous and throws what `node:fs` throws.
 */
export interface FileSystem {
  /** Names in the folder; none where there is no such folder. */
  list(folder: string): string[];
  makeFolder(folder: string): void;
  /** The file's bytes; the first `most` where that is given. */
  read(path: string, most?: number): Uint8Array;
  /** Opens a new file, emptying one that is there. */
  create(path: string): number;
  /** Writes some of the bytes; returns how many. */
  write(file: number, bytes: Uint8Array): number;
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
  create: (path) => fs.openSync(path, 'w'),
  write: (file, bytes) => fs.writeSync(file, bytes),
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
