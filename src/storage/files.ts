import * as fs from 'node:fs';
import { makeFolder } from './make-folder.js';

/**
 * What the snapshot store asks of a file system: so little that a test can make any of it fail.
 *
 * All of it is synchronous and throws what `node:fs` throws.
 */
export interface Files {
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
export const disk: Files = {
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
