import { createHash, type Hash } from 'node:crypto';
import { WeirError } from '../flow/errors.js';
import { files, now } from '../surroundings/surroundings.js';
import { onDisk } from './disk.js';
import { type MetricRecord, metricReplacer } from './metric-reader.js';

/** How far a metric log was when something was made of it, and what it was up to there. */
export type LogMark = {
  readonly bytes: number;
  /** SHA-256 of so many bytes, in hexadecimal; none where it is not known. */
  readonly sha256?: string;
};

const chunkBytes = 2 ** 20;

/** Feeds the first bytes of an open file to a hash. @returns how many there were */
function digestOfFile(handle: number, bytes: number, hash: Hash): number {
  const chunk = Buffer.alloc(Math.min(chunkBytes, bytes));
  let at = 0;
  while (at < bytes) {
    const got = files.readAt(handle, chunk.subarray(0, bytes - at), at);
    if (got === 0) break;
    hash.update(chunk.subarray(0, got));
    at += got;
  }
  return at;
}

/**
 * How a metric log differs from what is known of it, as the end of a sentence; undefined where it does not.
 *
 * @param whole whether it was finished then, and so must hold nothing more
 */
export function differenceFrom({ bytes, sha256 }: LogMark, file: string, whole: boolean): string | undefined {
  if (!files.exists(file)) return bytes === 0 ? undefined : `is gone: it had ${bytes} bytes`;
  return onDisk(`read the metric log ${file}`, () => {
    const handle = files.open(file);
    try {
      const size = files.size(handle);
      if (size < bytes) return `was cut: it has ${size} of ${bytes} bytes`;
      if (whole && size > bytes) return `has ${size - bytes} bytes more than the run wrote`;
      if (sha256 === undefined) return undefined;
      const hash = createHash('sha256');
      digestOfFile(handle, bytes, hash);
      return hash.digest('hex') === sha256
        ? undefined
        : `is altered: its first ${bytes} bytes are not those that were written`;
    } finally {
      files.close(handle);
    }
  });
}

const bufferBytes = 2 ** 16;

/**
 * The metric log of a run: a file of JSON lines that is appended to. What no finished network needs is cut back to where
 * a snapshot was (`cutBack`); the lines of a network that was finished before and is made again stay (`follow`).
 *
 * State: its length in bytes and their digest, `mark`, which a snapshot keeps. Bound: up to 64 KiB wait in memory until `flush`.
 * Opening one cuts off a last line that a killed process left half-written. Every method throws a `WeirError` where the disk does.
 *
 * @example
 * const log = new MetricLog('runs/1/metrics.ndjson');
 * log.append({ update: 24, loss: 0.31, wall: { seconds: 1.2 } });
 * log.flush({ sync: true }); // before the snapshot that holds log.mark
 */
export class MetricLog {
  readonly #handle: number;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #written: number;
  #flushed = now();
  /** SHA-256 of the bytes up to `length`. */
  #hash: Hash;
  #followed: Followed | undefined;

  constructor(readonly file: string) {
    this.#handle = this.#do('open', () => files.append(file));
    const size = this.#do('read', () => files.size(this.#handle));
    this.#written = this.#do('read', () => this.#endOfLastLine(size));
    if (this.#written < size) this.#do('cut back', () => files.truncate(this.#handle, this.#written));
    this.#hash = this.#hashOf(this.#written);
  }

  /** Bytes of the log, those not yet flushed included; while lines are followed, of those up to the newest one. */
  get length(): number {
    return this.#followed?.at ?? this.#written + this.#waitingBytes;
  }

  /** The mark that a snapshot keeps of the log, to recognize it on resume: `length`, and the digest of so many bytes. */
  get mark(): LogMark {
    return { bytes: this.length, sha256: this.#hash.copy().digest('hex') };
  }

  append(record: MetricRecord): void {
    if (this.#followed !== undefined && this.#follows(this.#followed, record)) return;
    const line = Buffer.from(`${JSON.stringify(record, metricReplacer)}\n`);
    this.#hash.update(line);
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    if (this.#waitingBytes >= bufferBytes) this.flush();
  }

  /** Hands all records to the operating system; with `sync`, waits until they are on the disk. */
  flush({ sync = false }: { sync?: boolean } = {}): void {
    const bytes = Buffer.concat(this.#waiting);
    let at = 0;
    try {
      while (at < bytes.length) at += this.#do('write', () => files.write(this.#handle, bytes.subarray(at)));
    } finally {
      // On a failure what could not be written waits for the next flush, and no line is written twice.
      this.#written += at;
      this.#waiting = at < bytes.length ? [bytes.subarray(at)] : [];
      this.#waitingBytes = bytes.length - at;
    }
    if (sync) this.#do('write', () => files.sync(this.#handle));
  }

  /** Flushes where the last flush was so many milliseconds ago; bytes that the disk refuses wait for the next flush, and no error is thrown. */
  flushAfter(milliseconds: number): void {
    if (now() - this.#flushed < milliseconds) return;
    this.#flushed = now();
    try {
      this.flush();
    } catch {
      // `append` and the flush before a snapshot tell it.
    }
  }

  /**
   * Cuts the log back to where a snapshot was; later records are made again by the resumed run.
   *
   * @throws {WeirError} where what stays is not what the snapshot knows
   */
  cutBack(mark: LogMark): void {
    this.#stand(mark);
    this.#do('cut back', () => files.truncate(this.#handle, mark.bytes));
    this.#written = mark.bytes;
  }

  /**
   * Goes back to where a snapshot was and leaves all lines after it: what is appended from now on must be what they say, all but `wall`.
   *
   * @param more whether it may go on behind the last of them
   * @throws {WeirError} where what is before is not what the snapshot knows; `append` then throws one at the first line that differs
   */
  follow(mark: LogMark, { more }: { readonly more: boolean }): void {
    this.#stand(mark);
    this.#followed = { at: mark.bytes, more, rest: Buffer.alloc(0), read: mark.bytes };
  }

  #stand({ bytes, sha256 }: LogMark): void {
    this.flush();
    this.#followed = undefined;
    const remedy = 'put back the log that belongs to the snapshots, or start the run again in a new folder';
    if (bytes > this.#written) {
      throw new WeirError(
        `the metric log ${this.file} has ${this.#written} bytes, but the snapshot was made when it had ${bytes}`,
        remedy,
      );
    }
    if (bytes > 0 && this.#do('read', () => this.#endOfLastLine(bytes)) !== bytes) {
      throw new WeirError(
        `the metric log ${this.file} has no end of a line at byte ${bytes}, where the snapshot was made`,
        remedy,
      );
    }
    const hash = this.#hashOf(bytes);
    if (sha256 !== undefined && hash.copy().digest('hex') !== sha256) {
      throw new WeirError(
        `the metric log ${this.file} is altered: its first ${bytes} bytes are not those that the snapshot was made after`,
        remedy,
      );
    }
    this.#hash = hash;
  }

  /** Whether the record was taken for the next of the lines that are there. */
  #follows(followed: Followed, record: MetricRecord): boolean {
    const line = this.#do('read', () => this.#nextLine(followed));
    if (line === undefined) {
      if (!followed.more) throw this.#another(followed.at, 'there is no line more');
      this.#followed = undefined; // from here on new lines are written
      return false;
    }
    const [logged, repeated] = [
      withoutWall(line.toString()),
      JSON.stringify({ ...record, wall: undefined }, metricReplacer),
    ];
    if (logged !== repeated)
      throw this.#another(followed.at, `there is ${cut(logged)}, and this time ${cut(repeated)}`);
    this.#hash.update(line);
    followed.at += line.length;
    return true;
  }

  #another(at: number, what: string): WeirError {
    return new WeirError(
      `a network that is made again does not come out as it did: at byte ${at} of ${this.file} ${what}`,
      'its results and those of later networks stay as they are; make it again with the runtime, threads and processor that it had, or in a run of its own',
    );
  }

  /** The next line that is there, with its end. */
  #nextLine(followed: Followed): Buffer | undefined {
    for (;;) {
      const newline = followed.rest.indexOf(0x0a);
      if (newline >= 0) {
        const line = followed.rest.subarray(0, newline + 1);
        followed.rest = followed.rest.subarray(newline + 1);
        return line;
      }
      const chunk = Buffer.alloc(Math.min(bufferBytes, this.#written - followed.read));
      const got = chunk.length === 0 ? 0 : files.readAt(this.#handle, chunk, followed.read);
      if (got === 0) return undefined;
      followed.read += got;
      followed.rest = Buffer.concat([followed.rest, chunk.subarray(0, got)]);
    }
  }

  /** Writes the waiting lines, as far as the disk takes them, and throws no error: call `flush` first where one matters. */
  close(): void {
    this.flushAfter(0);
    files.close(this.#handle);
  }

  /** The byte after the last end of a line before `size`. */
  #endOfLastLine(size: number): number {
    const bytes = Buffer.alloc(bufferBytes);
    for (let end = size; end > 0; ) {
      const start = Math.max(0, end - bytes.length);
      const got = files.readAt(this.#handle, bytes.subarray(0, end - start), start);
      const newline = bytes.subarray(0, got).lastIndexOf(0x0a);
      if (newline >= 0) return start + newline + 1;
      end = start;
    }
    return 0;
  }

  #hashOf(bytes: number): Hash {
    const hash = createHash('sha256');
    this.#do('read', () => digestOfFile(this.#handle, bytes, hash));
    return hash;
  }

  #do<T>(verb: string, work: () => T): T {
    return onDisk(
      `${verb} the metric log ${this.file}`,
      work,
      (usual) => `${usual}, then go on with \`weir resume\`; the earlier snapshots are as they were`,
    );
  }
}

/** Lines that are there already and are made again. */
interface Followed {
  /** The byte after the newest one that was made again. */
  at: number;
  readonly more: boolean;
  /** Bytes that were read and belong to the next lines. */
  rest: Buffer;
  read: number;
}

function withoutWall(line: string): string {
  try {
    return JSON.stringify({ ...(JSON.parse(line) as object), wall: undefined });
  } catch {
    return line.trimEnd(); // no record: the error quotes it as it is
  }
}

const cut = (text: string): string => (text.length > 200 ? `${text.slice(0, 199)}…` : text);
