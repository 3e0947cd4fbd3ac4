import { closeSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { type Data, plainCopy } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import type { Flow } from '../flow/flow.js';
import { listen } from '../flow/node.js';
import { bytesOf, pack, type Segment } from './codec.js';
import { crc32, crc32Of } from './digest.js';
import { onDisk } from './disk.js';
import { padded, preambleOf, totalBytes } from './file-format.js';
import {
  endUpTo,
  formatVersion,
  frameHeadBytes,
  frameLimit,
  headerLimit,
  kinds,
  magic,
  preambleBytes,
  type RecordingHeader,
} from './recording-reader.js';

const bufferBytes = 2 ** 20;

/**
 * Writes a recording. Appending is synchronous and copies the item, so its arrays may be used again at once.
 *
 * Bound: up to 1 MiB waits in memory until `flush`. Every method throws a `WeirError` where the disk does; after that
 * the recording takes no more, and what is in the file stays readable up to its last whole frame.
 *
 * @example
 * const recording = RecordingWriter.create('batches.recording', { edge: 'batches', pipeline: 'mnist', createdAt });
 * recording.append(1024, 12.5, { position: 1024, labels });
 * recording.end();
 */
export class RecordingWriter {
  readonly #buffer = Buffer.alloc(bufferBytes);
  #filled = 0;
  #failure: unknown;

  private constructor(
    readonly file: string,
    private readonly handle: number,
    private items: number,
    private position: number,
  ) {}

  /** Starts a new file; one that is there already is an error. */
  static create(file: string, header: RecordingHeader): RecordingWriter {
    const packed = padded(pack(header));
    if (totalBytes(packed) > headerLimit) {
      throw new WeirError(`the header of recording ${file} has ${totalBytes(packed)} bytes, ${headerLimit} at most`);
    }
    const preamble = preambleOf(magic, formatVersion, preambleBytes);
    preamble.writeUInt32LE(packed[0]!.length, 16);
    preamble.writeUInt32LE(crc32Of(packed), 20);
    preamble.writeUInt32LE(crc32(preamble.subarray(0, 24)), 24);
    const handle = onDisk(`create recording ${file}`, () => openSync(file, 'wx'));
    const writer = new RecordingWriter(file, handle, 0, 0);
    writer.#write([preamble, ...packed]);
    return writer;
  }

  /** Goes on with a recording that was broken off, for a run resumed at `position`: what comes after it is cut. */
  static continue(file: string, position: number): RecordingWriter {
    const { end, items, last } = endUpTo(file, position);
    const handle = onDisk(`open recording ${file}`, () => openSync(file, 'a'));
    onDisk(`cut back recording ${file}`, () => ftruncateSync(handle, end));
    return new RecordingWriter(file, handle, items, last);
  }

  append(position: number, time: number, item: Data): void {
    const segments: Segment[] = [];
    const packed = pack(item, segments);
    const sizes = segments.map(({ array }) => array.byteLength);
    const arrays = segments.flatMap(({ array }) => padded(bytesOf(array)));
    this.#frame(kinds.item, [position, time, sizes, packed], arrays);
    this.items++;
    this.position = position;
  }

  /** Marks that items after `position` are missing. */
  gap(position: number, time: number, missed?: number): void {
    this.#frame(kinds.gap, [position, time, missed]);
    this.position = position;
  }

  /** Hands all that was appended to the operating system; with `sync`, waits until it is on the disk. */
  flush({ sync = false }: { sync?: boolean } = {}): void {
    this.#push(this.#buffer.subarray(0, this.#filled));
    this.#filled = 0;
    if (sync) onDisk(`write recording ${this.file}`, () => fsyncSync(this.handle));
  }

  /** Marks the recording as complete, waits until it is on the disk, and closes it. */
  end(): void {
    this.#frame(kinds.end, [this.items, this.position]);
    this.flush({ sync: true });
    closeSync(this.handle);
  }

  /** Closes the recording as one that was broken off; `continue` can take it up. */
  close(): void {
    try {
      if (!this.#failure) this.flush();
    } finally {
      closeSync(this.handle);
    }
  }

  #frame(kind: number, values: readonly Data[], arrays: readonly Uint8Array[] = []): void {
    const structure = pack(values);
    const length = Buffer.alloc(8);
    length.writeUInt32LE(structure.length);
    const payload = [length, ...padded(structure), ...arrays];
    const bytes = totalBytes(payload);
    if (bytes > frameLimit) {
      throw new WeirError(
        `an item of ${bytes} bytes is too large for recording ${this.file}: ${frameLimit} at most`,
        'record smaller batches',
      );
    }
    const head = Buffer.alloc(frameHeadBytes);
    head.writeUInt32LE(kind);
    head.writeUInt32LE(bytes, 4);
    head.writeUInt32LE(crc32Of(payload), 8);
    head.writeUInt32LE(crc32(head.subarray(0, 12)), 12);
    this.#write([head, ...payload]);
  }

  #write(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) {
      if (this.#filled + chunk.length > bufferBytes) this.flush();
      if (chunk.length > bufferBytes) {
        this.#push(chunk);
      } else {
        this.#buffer.set(chunk, this.#filled);
        this.#filled += chunk.length;
      }
    }
  }

  #push(bytes: Uint8Array): void {
    if (this.#failure) throw this.#failure;
    try {
      for (let at = 0; at < bytes.length; ) {
        at += onDisk(`write recording ${this.file}`, () => writeSync(this.handle, bytes, at));
      }
    } catch (error) {
      this.#failure = error; // how much of it was written is not known: no frame may follow
      throw error;
    }
  }
}

export interface RecordOptions {
  readonly pipeline: string;
  /** Items after which the recording is complete. */
  readonly items: number;
  /** Called when it is. */
  readonly complete: () => void;
}

/**
 * Records what leaves a node, every item of it, from now on: it takes part in the demand, for it writes before the item goes on.
 *
 * Of each item the plain data is kept (no tensors, no functions).
 *
 * @returns what ends the recording early.
 * @throws {WeirError} when the graph has no node of that name.
 */
export function recordEdge(flow: Flow, edge: string, file: string, options: RecordOptions): () => void {
  const node = flow.nodes.find(({ name }) => name === edge);
  if (node === undefined) {
    const known = flow.nodes.filter(({ kind }) => kind !== 'sink').map(({ name }) => `'${name}'`);
    throw new WeirError(`the graph has no edge after '${edge}'`, `record one of ${known.join(', ')}`);
  }
  const createdAt = new Date().toISOString();
  flow.introduce();
  const about = { edge, pipeline: options.pipeline, createdAt, headers: node.headers };
  const recording = RecordingWriter.create(file, about);
  const begun = performance.now();
  let left = options.items;
  let open = true;
  const end = (): void => {
    if (open) recording.end();
    open = false;
    leave();
  };
  const leave = listen(node, (item, position) => {
    if (!open) return;
    recording.append(position, performance.now() - begun, plainCopy(item));
    if (--left > 0) return;
    end();
    options.complete();
  });
  return end;
}
