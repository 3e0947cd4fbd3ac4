import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { WeirError } from '../flow/errors.js';
import { onDisk } from './core-recording-format.js';

const windowBytes = 2 ** 18;

/** A file read through a buffer, so that small frames do not cost a system call each. */
export class Window {
  readonly size: number;
  readonly #handle: number;
  #buffer: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(readonly file: string) {
    this.#handle = onDisk(file, 'open', () => openSync(file, 'r'));
    this.size = fstatSync(this.#handle).size;
  }

  /** These bytes, or undefined where the file ends before them. Valid until the next read. */
  read(start: number, length: number): Buffer | undefined {
    if (length > this.size - start) return undefined;
    const at = start - this.#start;
    if (at < 0 || at + length > this.#buffer.length) {
      this.#buffer = this.#load(start, Math.max(length, Math.min(windowBytes, this.size - start)));
      this.#start = start;
      return this.#buffer.subarray(0, length);
    }
    return this.#buffer.subarray(at, at + length);
  }

  close(): void {
    closeSync(this.#handle);
  }

  #load(start: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let at = 0; at < length; ) {
      const got = onDisk(this.file, 'read', () => readSync(this.#handle, bytes, at, length - at, start + at));
      if (got === 0) throw new WeirError(`recording ${this.file} became shorter while it was read`, 'read it again');
      at += got;
    }
    return bytes;
  }
}
