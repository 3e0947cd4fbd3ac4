import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { WeirError } from '../flow/errors.js';
import { bytes, double, type Fields, joined, text, whole } from '../storage/protobuf.js';
import { maskedCrc32c } from './crc32c.js';

const bufferBytes = 2 ** 16;

/**
 * An event file of TensorBoard: TFRecords, each the length of an event (uint64), that length's checksum, the event, its checksum.
 *
 * Written beside the file, and in its place when closed. Bound: up to 64 KiB wait in memory.
 *
 * @example
 * const events = new EventFile('tensorboard/none/events.out.tfevents.1767225600.weir', 1767225600);
 * events.append(1767225601.5, 24, [scalar('updates/loss', 0.31)]);
 * events.close();
 */
export class EventFile {
  readonly #part: string;
  readonly #handle: number;
  #waiting: Uint8Array[] = [];
  #bytes = 0;

  constructor(
    readonly file: string,
    /** Seconds since 1970. */
    begun: number,
  ) {
    this.#part = `${file}.part`;
    this.#handle = this.#do(() => openSync(this.#part, 'w'));
    this.#record(joined(double(1, begun), text(3, 'brain.Event:2'))); // what TensorBoard looks for first
  }

  /** Adds values of one step; `time` in seconds since 1970. */
  append(time: number, step: number, values: readonly Fields[]): void {
    this.#record(joined(double(1, time), whole(2, step), bytes(5, ...values.map((value) => bytes(1, value)))));
  }

  close(): void {
    this.#flush();
    this.#do(() => {
      fsyncSync(this.#handle);
      closeSync(this.#handle);
      renameSync(this.#part, this.file);
    });
  }

  /** Closes it and leaves no file behind; an earlier one of the same name stays as it is. */
  abandon(): void {
    try {
      closeSync(this.#handle);
    } catch {
      // closed already
    }
    rmSync(this.#part, { force: true });
  }

  #record(event: Uint8Array): void {
    const head = Buffer.alloc(12);
    head.writeBigUInt64LE(BigInt(event.length));
    head.writeUInt32LE(maskedCrc32c(head.subarray(0, 8)), 8);
    const foot = Buffer.alloc(4);
    foot.writeUInt32LE(maskedCrc32c(event));
    this.#waiting.push(head, event, foot);
    this.#bytes += event.length + 16;
    if (this.#bytes >= bufferBytes) this.#flush();
  }

  #flush(): void {
    const all = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#bytes = 0;
    for (let at = 0; at < all.length; ) at += this.#do(() => writeSync(this.#handle, all, at));
  }

  #do<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw new WeirError(
        `cannot write ${this.file}: ${(cause as Error).message}`,
        'give a folder that can be written to',
        {
          cause,
        },
      );
    }
  }
}
