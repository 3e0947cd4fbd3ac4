import * as fs from 'node:fs';
import { makeFolder } from './folders.js';

/**
 * The calls of a file system that the engine makes. So few that a test can make each of them fail, and a simulation can be a disk.
 *
 * All of it is synchronous and throws what `node:fs` throws.
 */
export interface FileSystem {
  /** Names in the folder; none where there is no such folder. @param deep of all that is below it, as paths from there */
  list(folder: string, deep?: boolean): string[];
  exists(path: string): boolean;
  /** By what a reader sees that a file has changed; undefined where there is none. */
  stat(path: string): FileStat | undefined;
  makeFolder(folder: string): void;
  /** The file's bytes; the first `most` where that is given. */
  read(path: string, most?: number): Uint8Array;
  /** Opens a file for reading. */
  open(path: string): number;
  /** Opens a new file for writing; one that is there already is an error. */
  create(path: string, mode?: number): number;
  /** Opens a file for reading, and for writing at its end; makes it where there is none. */
  append(path: string): number;
  /** Bytes of an open file. */
  size(file: number): number;
  /** Reads into `bytes` from a position of the file; returns how many were read, 0 at the end. */
  readAt(file: number, bytes: Uint8Array, position: number): number;
  /** Writes some of the bytes, at `position` or behind what was written last; returns how many. */
  write(file: number, bytes: Uint8Array, position?: number): number;
  /** Cuts an open file to so many bytes. */
  truncate(file: number, bytes: number): void;
  sync(file: number): void;
  close(file: number): void;
  rename(from: string, to: string): void;
  syncFolder(folder: string): void;
  /** Removes a file; one that is not there is an error. */
  remove(path: string): void;
  /** Removes a folder with all that is in it, if it is there. */
  removeFolder(path: string): void;
}

export interface FileStat {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ino: number;
}

const readAtOnce = 2 ** 30; // bytes; one call cannot read 2 GiB

/** The disk. */
export const systemFiles: FileSystem = {
  list: (folder, deep = false) =>
    fs.existsSync(folder) ? (fs.readdirSync(folder, { recursive: deep }) as string[]) : [],
  exists: (path) => fs.existsSync(path),
  stat: (path) => fs.statSync(path, { throwIfNoEntry: false }),
  makeFolder: (folder) => makeFolder(folder),
  open: (path) => fs.openSync(path, 'r'),
  create: (path, mode) => fs.openSync(path, 'wx', mode),
  append: (path) => fs.openSync(path, 'a+'),
  size: (file) => fs.fstatSync(file).size,
  readAt: (file, bytes, position) => fs.readSync(file, bytes, 0, bytes.length, position),
  write: (file, bytes, position) => fs.writeSync(file, bytes, 0, bytes.length, position),
  truncate: (file, bytes) => fs.ftruncateSync(file, bytes),
  sync: (file) => fs.fsyncSync(file),
  close: (file) => fs.closeSync(file),
  rename: (from, to) => fs.renameSync(from, to),
  remove: (path) => fs.unlinkSync(path),
  removeFolder: (path) => fs.rmSync(path, { recursive: true, force: true }),

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
