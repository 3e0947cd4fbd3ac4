import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Data } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import type { Header } from '../flow/header.js';
import { onDisk } from './disk.js';

/**
 * A recorded stream, little-endian, every part starting at a multiple of 8 bytes:
 *
 *     0  magic 'WEIRFLOW'
 *     8  format version, 12 CRC-32 of bytes 0-11, 16 bytes of the header, 20 CRC-32 of the header and its padding,
 *    24  CRC-32 of bytes 0-23, 28 zero (uint32 each)
 *    32  the header, packed; then frames:
 *        kind, bytes of the payload, CRC-32 of the payload, CRC-32 of the twelve bytes before (uint32 each); the payload
 *
 * A payload: the bytes of its structure (uint32) and 4 bytes of zero; the structure, packed; for an item, the elements
 * of its arrays. The structure is [position, time, bytes of each array, packed item] for an item,
 * [position, time, missed or undefined] for a gap, [items, position] for the end.
 */
export const magic = 'WEIRFLOW';
export const formatVersion = 1;
export const preambleBytes = 32;
export const frameHeadBytes = 16;
export const kinds = { item: 1, gap: 2, end: 3 } as const;

/** Bytes of a header, and of a frame's payload, at most: what a reader may have to hold in memory. */
export const headerLimit = 2 ** 20;
export const frameLimit = 2 ** 30;

/** The header of a recording. */
export interface RecordingHeader {
  /** The name of the edge whose items these are. */
  readonly edge: string;
  readonly pipeline: string;
  /** When it was made, as ISO 8601. */
  readonly createdAt: string;
  /** What was known of the stream before its first item; recordings of earlier versions have none. */
  readonly headers?: readonly Header[];
  readonly [key: string]: Data;
}

/**
 * One moment of a recording; `time` is in milliseconds since its start.
 *
 * A gap says that items after the one at `position` are missing (`missed`: how many, where that is known). `torn` comes
 * last where the recorder was killed or is still at work: the frames before it are whole, `problem` says where it ends.
 */
export type RecordingFrame =
  | { readonly kind: 'item'; readonly position: number; readonly time: number; readonly item: Data }
  | { readonly kind: 'gap'; readonly position: number; readonly time: number; readonly missed: number | undefined }
  | { readonly kind: 'torn'; readonly position: number; readonly problem: WeirError };

const windowBytes = 2 ** 18;

/** A file read through a buffer, so that small frames do not cost a system call each. */
export class FileWindow {
  readonly size: number;
  readonly #handle: number;
  #buffer: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(readonly file: string) {
    this.#handle = onDisk(`open recording ${file}`, () => openSync(file, 'r'));
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
      const got = onDisk(`read recording ${this.file}`, () =>
        readSync(this.#handle, bytes, at, length - at, start + at),
      );
      if (got === 0) throw new WeirError(`recording ${this.file} became shorter while it was read`, 'read it again');
      at += got;
    }
    return bytes;
  }
}
