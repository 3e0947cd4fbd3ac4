import { AtomicFile, onDisk } from '../storage/disk.js';
import { bytes, double, doubles, float, integer, joined, type ProtobufFields, text } from '../storage/protobuf.js';

/** CRC-32C (Castagnoli), as TFRecord files carry it: rotated and with a constant added, so that a checksum of checksums is none. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** CRC-32C: its polynomial 0x1edc6f41 with the bits in reverse order, a byte at a time. Node has the other CRC-32 alone. */
export function crc32c(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) crc = crcTable[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

const crcTable = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0x82f63b78 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});

/** Values of a summary (tensorboard/compat/proto/summary.proto), each under its tag. */
export const scalar = (tag: string, value: number): ProtobufFields => joined(text(1, tag), float(2, value));

/** A picture that is a PNG already. */
export const image = (tag: string, width: number, height: number, png: Uint8Array): ProtobufFields =>
  joined(text(1, tag), bytes(4, integer(1, height), integer(2, width), integer(3, 3), bytes(4, png)));

/** How often values lie in each of `buckets` ranges of one width, from the least to the greatest. */
export function histogram(tag: string, values: readonly number[], buckets = 30): ProtobufFields {
  const sorted = Float64Array.from(values).sort();
  const [least, greatest] = [sorted[0]!, sorted.at(-1)!];
  const width = (greatest - least) / buckets;
  const limits = width > 0 ? Array.from({ length: buckets }, (_, i) => least + width * (i + 1)) : [greatest];
  limits[limits.length - 1] = greatest; // rounding must leave none outside
  const counts = limits.map(() => 0);
  let bucket = 0;
  for (const value of sorted) {
    while (value > limits[bucket]!) bucket++;
    counts[bucket]!++;
  }
  const sum = sorted.reduce((total, value) => total + value, 0);
  const squares = sorted.reduce((total, value) => total + value * value, 0);
  return joined(
    text(1, tag),
    bytes(
      5,
      double(1, least),
      double(2, greatest),
      double(3, sorted.length),
      double(4, sum),
      double(5, squares),
      doubles(6, limits),
      doubles(7, counts),
    ),
  );
}

export type Hparams = Readonly<Record<string, string | number | boolean>>;

/** What the table of hyperparameters is made of (tensorboard/plugins/hparams/plugin_data.proto), as summary values. */
export function experiment(
  name: string,
  created: number,
  hparams: Hparams,
  metrics: readonly string[],
): ProtobufFields {
  const types = { string: 1, boolean: 2, number: 3 } as const;
  const keys = Object.entries(hparams).map(([key, value]) =>
    bytes(4, text(1, key), integer(4, types[typeof value as keyof typeof types])),
  );
  const tags = metrics.map((tag) => bytes(5, bytes(1, text(2, tag))));
  return data('_hparams_/experiment', bytes(2, text(6, name), double(3, created), ...keys, ...tags));
}

/** One trained network is one session. */
export function sessionStart(name: string, begun: number, hparams: Hparams): ProtobufFields {
  const entries = Object.entries(hparams).map(([key, value]) => bytes(1, text(1, key), bytes(2, protoValue(value))));
  return data('_hparams_/session_start_info', bytes(3, ...entries, text(4, name), double(5, begun)));
}

export const sessionEnd = (ended: number, done: boolean): ProtobufFields =>
  data('_hparams_/session_end_info', bytes(4, integer(1, done ? 1 : 3), double(2, ended)));

/** A google.protobuf.Value. */
function protoValue(value: string | number | boolean): ProtobufFields {
  if (typeof value === 'number') return double(2, value);
  return typeof value === 'boolean' ? integer(4, Number(value)) : text(3, value);
}

// The message lies in the tag's metadata; its tensor is a lone 0 (float32, no dimensions), as the plug-in itself writes it.
const data = (tag: string, message: ProtobufFields): ProtobufFields =>
  joined(
    text(1, tag),
    bytes(8, integer(1, 1), bytes(2, bytes(2))),
    bytes(9, bytes(1, text(1, 'hparams'), bytes(2, integer(1, 0), message))),
  );

const bufferBytes = 2 ** 16;

/**
 * An event file of TensorBoard: TFRecords, each the length of an event (uint64), that length's checksum, the event, its checksum.
 *
 * It takes its place, whole, when it is closed. Bound: up to 64 KiB wait in memory.
 *
 * @example
 * const events = new EventFile('tensorboard/none/events.out.tfevents.1767225600.weir', 1767225600);
 * events.append(1767225601.5, 24, [scalar('updates/loss', 0.31)]);
 * events.close();
 */
export class EventFile {
  readonly #out: AtomicFile;
  #waiting: Uint8Array[] = [];
  #bytes = 0;

  constructor(
    readonly file: string,
    /** Seconds since 1970. */
    begun: number,
  ) {
    this.#out = this.#do(() => new AtomicFile(file));
    this.#record(joined(double(1, begun), text(3, 'brain.Event:2'))); // what TensorBoard looks for first
  }

  /** Adds values of one step; `time` in seconds since 1970. */
  append(time: number, step: number, values: readonly ProtobufFields[]): void {
    this.#record(joined(double(1, time), integer(2, step), bytes(5, ...values.map((value) => bytes(1, value)))));
  }

  close(): void {
    this.#flush();
    this.#do(() => this.#out.commit());
  }

  /** Closes it and leaves no file behind; an earlier one of the same name stays as it is. */
  abandon(): void {
    this.#out.abandon();
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
    this.#do(() => this.#out.write(all));
  }

  #do<T>(work: () => T): T {
    return onDisk(`write ${this.file}`, work, 'give a folder that can be written to');
  }
}
