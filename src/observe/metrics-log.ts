import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { WeirError } from '../core/errors.js';
import { spelled } from './json-numbers.js';

/** What a metric may be: NaN and the infinities too, though JSON has none. */
export type Metric = null | boolean | number | string | readonly Metric[] | { readonly [key: string]: Metric };

/**
 * One line of the metric log. All that depends on the clock lies under `wall` (times, rates), so that two runs of the
 * same seed differ in nothing else.
 */
export interface MetricRecord {
  readonly wall?: { readonly [key: string]: Metric };
  readonly [key: string]: Metric | undefined;
}

const bufferBytes = 2 ** 16;

/**
 * The metric log of a run: a file of JSON lines that is only ever appended to, or cut back to where a snapshot was.
 *
 * State: its length in bytes, which a snapshot keeps. Bound: up to 64 KiB wait in memory until `flush`. Opening one
 * cuts off a last line that a killed process left half-written. Every method throws a `WeirError` where the disk does.
 *
 * @example
 * const log = new MetricsLog('runs/1/metrics.ndjson');
 * log.append({ update: 24, loss: 0.31, wall: { seconds: 1.2 } });
 * log.flush({ sync: true }); // before the snapshot that holds log.length
 */
export class MetricsLog {
  readonly #handle: number;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #written: number;
  #flushed = performance.now();

  constructor(readonly file: string) {
    this.#handle = this.#do('open', () => openSync(file, 'a+'));
    const size = this.#do('read', () => fstatSync(this.#handle).size);
    this.#written = this.#do('read', () => this.#endOfLastLine(size));
    if (this.#written < size) this.#do('cut back', () => ftruncateSync(this.#handle, this.#written));
  }

  /** Bytes of the log, those not yet flushed included. */
  get length(): number {
    return this.#written + this.#waitingBytes;
  }

  append(record: MetricRecord): void {
    const line = Buffer.from(`${JSON.stringify(record, spelled)}\n`);
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    if (this.#waitingBytes >= bufferBytes) this.flush();
  }

  /** Hands all records to the operating system; with `sync`, waits until they are on the disk. */
  flush({ sync = false }: { sync?: boolean } = {}): void {
    const bytes = Buffer.concat(this.#waiting);
    let at = 0;
    try {
      while (at < bytes.length) at += this.#do('write', () => writeSync(this.#handle, bytes, at));
    } finally {
      // On a failure what could not be written waits for the next flush, and no line is written twice.
      this.#written += at;
      this.#waiting = at < bytes.length ? [bytes.subarray(at)] : [];
      this.#waitingBytes = bytes.length - at;
    }
    if (sync) this.#do('write', () => fsyncSync(this.#handle));
  }

  /** Flushes where the last flush was so many milliseconds ago; what the disk does not take waits for the next, and no error is told. */
  flushAfter(milliseconds: number): void {
    if (performance.now() - this.#flushed < milliseconds) return;
    this.#flushed = performance.now();
    try {
      this.flush();
    } catch {
      // `append` and the flush before a snapshot tell it.
    }
  }

  /** Cuts the log back to the length that a snapshot keeps; later records are made again by the resumed run. */
  cutBack(length: number): void {
    this.flush();
    if (length > this.#written) {
      throw new WeirError(
        `the metric log ${this.file} has ${this.#written} bytes, but the snapshot was made when it had ${length}`,
        'use the log that belongs to the snapshot, or start the run again in a new folder',
      );
    }
    if (length > 0 && this.#do('read', () => this.#endOfLastLine(length)) !== length) {
      throw new WeirError(
        `the metric log ${this.file} has no end of a line at byte ${length}, where the snapshot was made`,
        'use the log that belongs to the snapshot, or start the run again in a new folder',
      );
    }
    this.#do('cut back', () => ftruncateSync(this.#handle, length));
    this.#written = length;
  }

  /** Writes what waits, as far as the disk takes it: `flush` first, where an error is to be told. */
  close(): void {
    this.flushAfter(0);
    closeSync(this.#handle);
  }

  /** The byte after the last end of a line before `size`. */
  #endOfLastLine(size: number): number {
    const bytes = Buffer.alloc(bufferBytes);
    for (let end = size; end > 0; ) {
      const start = Math.max(0, end - bytes.length);
      const got = readSync(this.#handle, bytes, 0, end - start, start);
      const newline = bytes.subarray(0, got).lastIndexOf(0x0a);
      if (newline >= 0) return start + newline + 1;
      end = start;
    }
    return 0;
  }

  #do<T>(verb: string, work: () => T): T {
    try {
      return work();
    } catch (cause) {
      const code = String((cause as NodeJS.ErrnoException).code ?? cause);
      const remedy =
        code === 'ENOSPC'
          ? 'the disk is full: free some space, then go on with `weir resume`; the earlier snapshots are as they were'
          : 'see that this user may write there';
      throw new WeirError(`cannot ${verb} the metric log ${this.file}: ${code}`, remedy, { cause });
    }
  }
}
