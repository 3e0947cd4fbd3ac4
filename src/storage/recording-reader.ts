import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { type Data, isRecord } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import type { Header } from '../flow/header.js';
import { arrayOf, elementBytes, unpack } from './codec.js';
import { crc32 } from './digest.js';
import { onDisk } from './disk.js';
import { aligned, stampOf } from './file-format.js';

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

/** The remedy where a folder was named: the recordings in it, or in its run. */
function recordingsIn(folder: string): string {
  const found = [folder, join(folder, 'recordings')]
    .flatMap((path) => (existsSync(path) ? readdirSync(path).map((name) => join(path, name)) : []))
    .filter((path) => path.endsWith('.weirrec'));
  return found.length === 0 ? 'name a file that `weir record` made' : `name one of its files: ${found.join(', ')}`;
}

/** A file read through a buffer, so that small frames do not cost a system call each. */
class FileWindow {
  readonly size: number;
  readonly #handle: number;
  #buffer: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(readonly file: string) {
    this.#handle = onDisk(`open recording ${file}`, () => openSync(file, 'r'));
    const about = fstatSync(this.#handle);
    if (about.isDirectory()) {
      this.close();
      throw new WeirError(`${file} is a folder, and no recording`, recordingsIn(file));
    }
    this.size = about.size;
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

export interface Recording {
  readonly header: RecordingHeader;
  /** Read from the file as they are asked for, anew for every iteration; one frame is in memory at a time. */
  readonly frames: Iterable<RecordingFrame>;
}

/**
 * Opens a recording and reads its header.
 *
 * Nothing is decoded, and no memory taken by a stated length, before a checksum over it is verified. A recording that
 * was broken off gives its whole frames and then one that is `torn`; an altered one throws a `WeirError` that names the
 * frame, when the iteration comes to it.
 *
 * @example
 * const { header, frames } = readRecording('fixtures/batches.weirrec');
 * for (const frame of frames) if (frame.kind === 'item') console.log(header.edge, frame.position, frame.item);
 */
export function readRecording(file: string): Recording {
  const { header } = withWindow(file, readHeader);
  return {
    header,
    frames: {
      *[Symbol.iterator]() {
        for (const { frame } of scan(file)) yield frame;
      },
    },
  };
}

/** Where the whole frames up to `position` end: the byte, the items so far, and the position of the last frame. */
export function endUpTo(file: string, position: number): { end: number; items: number; last: number } {
  let found = { end: withWindow(file, readHeader).end, items: 0, last: 0 };
  for (const { frame, end } of scan(file)) {
    if (frame.kind === 'torn' || frame.position > position) break;
    found = { end, items: found.items + (frame.kind === 'item' ? 1 : 0), last: frame.position };
  }
  return found;
}

function readHeader(window: FileWindow): { header: RecordingHeader; end: number } {
  const { file } = window;
  const bad = (what: string, remedy = 'record it again'): never => {
    throw new WeirError(`recording ${file}: ${what}`, remedy);
  };
  const preamble = window.read(0, preambleBytes);
  const { begins, isMagic, version, checksum, stated } = stampOf(
    preamble ?? window.read(0, Math.min(window.size, magic.length))!,
    magic,
  );
  if (!isMagic) {
    bad(`is no recording: expected '${magic}', got ${JSON.stringify(begins)}`, 'name a file that Weir recorded');
  }
  if (!preamble) return bad('is cut short before its first frame');
  if (checksum !== stated) bad('is altered in its first 12 bytes');
  if (version !== formatVersion) {
    const newer = version > formatVersion;
    bad(
      `is of ${newer ? 'a newer' : 'an older'} format, version ${version}: this Weir reads version ${formatVersion}`,
      newer
        ? 'update Weir, or record it again with this one (weir record MODULE EDGE FILE)'
        : 'record it again (weir record MODULE EDGE FILE), or replay it with the version of Weir that recorded it',
    );
  }
  const whole = crc32(preamble.subarray(0, 24)) === preamble.readUInt32LE(24) && preamble.readUInt32LE(28) === 0;
  if (!whole) bad('is altered in its first 32 bytes');
  const bytes = preamble.readUInt32LE(16);
  const wanted = preamble.readUInt32LE(20);
  if (bytes > headerLimit) bad(`states a header of ${bytes} bytes, ${headerLimit} at most`);
  const packed = window.read(preambleBytes, aligned(bytes));
  if (!packed) return bad('is cut short in its header');
  if (crc32(packed) !== wanted) bad('its header is altered');
  const header = unpack(packed.subarray(0, bytes));
  if (!isHeader(header)) return bad('has a header that does not say what was recorded');
  return { header, end: preambleBytes + packed.length };
}

const isHeader = (data: Data): data is RecordingHeader =>
  isRecord(data) &&
  ['edge', 'pipeline', 'createdAt'].every((key) => typeof (data as RecordingHeader)[key] === 'string');

/** The frames, each with the byte where it ends. */
function* scan(file: string): Generator<{ frame: RecordingFrame; end: number }> {
  const window = new FileWindow(file);
  try {
    let { end: at } = readHeader(window);
    let items = 0;
    let position = 0;
    const altered = (what: string): never => {
      throw new WeirError(
        `recording ${file} is altered in the frame after position ${position}, at byte ${at}: ${what}`,
        'record it again, or replay only what comes before',
      );
    };
    const understood = <T>(read: () => T): T => {
      try {
        return read();
      } catch (error) {
        return altered((error as Error).message);
      }
    };
    const torn = (): { frame: RecordingFrame; end: number } => {
      const message = `recording ${file} was broken off after position ${position} (${items} items), at byte ${at} of ${window.size}`;
      const problem = new WeirError(message, 'what comes before can be replayed; record it again for the rest');
      return { frame: { kind: 'torn', position, problem }, end: at };
    };

    for (;;) {
      const head = window.read(at, frameHeadBytes);
      if (!head) return yield torn();
      if (crc32(head.subarray(0, 12)) !== head.readUInt32LE(12)) altered('its length cannot be trusted');
      const [kind, bytes, wanted] = [head.readUInt32LE(0), head.readUInt32LE(4), head.readUInt32LE(8)];
      if (bytes > frameLimit) altered(`it states ${bytes} bytes, ${frameLimit} at most`);
      const payload = window.read(at + frameHeadBytes, bytes);
      if (!payload) return yield torn();
      const got = crc32(payload);
      if (got !== wanted) altered(`expected checksum ${wanted.toString(16)}, got ${got.toString(16)}`);
      const end = at + frameHeadBytes + bytes;

      if (kind === kinds.end) {
        const [stated] = understood(() => structureOf(payload)).values;
        if (stated !== items) altered(`it states ${stated} items in all, but ${items} came`);
        if (end < window.size) altered(`${window.size - end} bytes follow the end`);
        return;
      }
      const frame = understood(() => readFrame(kind, payload));
      if (!frame) return altered(`it is of the unknown kind ${kind}`);
      if (frame.kind === 'item') items++;
      position = frame.position;
      at = end;
      yield { frame, end };
    }
  } finally {
    window.close();
  }
}

function readFrame(kind: number, payload: Buffer): Exclude<RecordingFrame, { kind: 'torn' }> | undefined {
  if (kind !== kinds.item && kind !== kinds.gap) return undefined;
  const { values, end } = structureOf(payload);
  const [position, time, third, packed] = values;
  if (typeof position !== 'number' || typeof time !== 'number' || !Number.isFinite(position + time)) throw unlike();
  if (kind === kinds.gap) {
    if (third !== undefined && typeof third !== 'number') throw unlike();
    return { kind: 'gap', position, time, missed: third };
  }

  const sizes = third;
  if (!isSizes(sizes) || !(packed instanceof Uint8Array)) throw unlike();
  let at = end;
  const starts = sizes.map((bytes) => {
    const start = at;
    at += aligned(bytes);
    return start;
  });
  const item = unpack(packed, ({ index, dtype, length }) => {
    const start = starts[index] ?? payload.length;
    const bytes = payload.subarray(start, start + length * elementBytes(dtype));
    if (sizes[index] !== bytes.length) throw new WeirError('a recorded item refers to an array that is not there');
    return arrayOf(dtype, new Uint8Array(bytes)); // on a buffer of its own, so that it may be handed to a worker
  });
  return { kind: 'item', position, time, item };
}

const isSizes = (data: Data): data is readonly number[] =>
  Array.isArray(data) && data.every((size) => Number.isSafeInteger(size) && size >= 0);

const unlike = (): WeirError => new WeirError('it does not hold what its kind should');

function structureOf(payload: Buffer): { values: readonly Data[]; end: number } {
  const end = payload.length < 8 ? 0 : 8 + payload.readUInt32LE(0);
  const values = unpack(payload.subarray(8, end));
  if (!Array.isArray(values)) throw unlike();
  return { values, end: aligned(end) };
}

function withWindow<T>(file: string, work: (window: FileWindow) => T): T {
  const window = new FileWindow(file);
  try {
    return work(window);
  } finally {
    window.close();
  }
}
