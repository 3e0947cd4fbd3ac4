import { type Data, isRecord } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import { arrayOf, bytesOf, elementBytes, pack, type Segment, unpack } from './codec.js';
import { crc32, sha256Of } from './digest.js';
import { diskProblem } from './disk.js';
import { aligned, padded, preambleOf, stampOf, totalBytes, version as weirVersion } from './file-format.js';

/** A snapshot that cannot be read or written, and, where it is one, the segment of it that is to blame. */
export class SnapshotError extends WeirError {
  override name = 'SnapshotError';

  constructor(
    message: string,
    remedy: string | undefined,
    readonly file: string,
    readonly segment?: string,
    options?: ErrorOptions,
  ) {
    super(message, remedy, options);
  }
}

const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException | undefined)?.code ?? error);

/** Codes of a file system that may have passed when it is asked again. */
const passing = new Set(['EIO', 'EAGAIN', 'EBUSY', 'EINTR', 'ESTALE', 'ETIMEDOUT', 'ENFILE', 'EMFILE', 'ENOMEM']);

/** Whether what the file system threw may be over in a moment. */
export const mayPass = (cause: unknown): boolean => passing.has(codeOf(cause));

/** Whether the error says that there is no such file: it was removed since the folder was listed. */
export const isGone = (error: unknown): boolean => error instanceof SnapshotError && codeOf(error.cause) === 'ENOENT';

/** Whether the error is of a file that could not be read, which says nothing of what is in it; else it was read and is altered. */
export const isUnread = (error: SnapshotError): boolean => error.cause !== undefined;

/** The error of a snapshot that could not be read: none of its bytes is known to be altered. */
export function readError(cause: unknown, file: string): SnapshotError {
  const { reason, remedy } = diskProblem(cause);
  return new SnapshotError(
    `cannot read snapshot ${file}: ${reason}`,
    `${remedy}, then ask again: nothing was changed. If it can never be read, move that file away; what it held is then made again from the one before`,
    file,
    undefined,
    { cause },
  );
}

/** The error of work on snapshots that the file system refused. @param doing the end of "cannot …", with the file */
export function storeError(cause: unknown, doing: string, file: string): SnapshotError {
  const { reason, remedy } = diskProblem(cause);
  return new SnapshotError(
    `cannot ${doing}: ${reason}`,
    `${remedy}; the earlier snapshots are as they were`,
    file,
    undefined,
    { cause },
  );
}

/**
 * A snapshot file, little-endian throughout, every part starting at a multiple of 8 bytes (zeros between):
 *
 *     0  magic 'WEIRSNAP'
 *     8  format version (uint32)
 *    12  CRC-32 of bytes 0-11 (uint32): the same place in every version, so a newer one is told from an altered one
 *    16  bytes in the file (uint64)
 *    24  bytes of the header, 28 bytes of the table (uint32)
 *    32  SHA-256 of header and table, padding included
 *    64  CRC-32 of bytes 0-63 (uint32), and 4 bytes of zero
 *    72  header: packed { weir, about, data }, where every typed array is a reference to a segment
 *        table: packed [{ name, bytes, sha256 }], one entry a segment
 *        segments: the arrays' bytes
 *
 * A segment's SHA-256 takes in its padding, so no byte of a file is without a checksum.
 */
export const magic = 'WEIRSNAP';
/** Raised with every change to the layout above or to a key of the state inside. 2: `regularizer` in the state of training. */
export const formatVersion = 2;
export const preambleBytes = 72;

/** Facts about a snapshot besides its data: pipeline, network, update, position and the like. */
export type About = { readonly [key: string]: Data };

/** One line of a snapshot's table. */
export type SegmentEntry = { readonly name: string; readonly bytes: number; readonly sha256: string };

/**
 * A snapshot of `data` as the chunks of a file, in order.
 *
 * Typed arrays are not copied: the chunks are views of them, so write them before anything moves.
 */
export function encode(data: Data, about: About): Uint8Array[] {
  const segments: Segment[] = [];
  const header = padded(pack({ weir: weirVersion, about, data }, segments));
  const bodies = segments.map(({ array }) => padded(bytesOf(array)));
  const entries = segments.map(
    ({ name, array }, i): SegmentEntry => ({
      name: name.replace(/^data\//, ''),
      bytes: array.byteLength,
      sha256: sha256Of(...bodies[i]!),
    }),
  );
  const table = padded(pack(entries));

  const preamble = preambleOf(magic, formatVersion, preambleBytes);
  preamble.writeBigUInt64LE(
    BigInt(preambleBytes + totalBytes(header) + totalBytes(table) + totalBytes(bodies.flat())),
    16,
  );
  preamble.writeUInt32LE(header[0]!.length, 24);
  preamble.writeUInt32LE(table[0]!.length, 28);
  preamble.write(sha256Of(...header, ...table), 32, 'hex');
  preamble.writeUInt32LE(crc32(preamble.subarray(0, 64)), 64);
  return [preamble, ...header, ...table, ...bodies.flat()].filter((chunk) => chunk.length > 0);
}

/** The content of a snapshot file. */
export interface Snapshot {
  readonly data: Data;
  readonly about: About;
  /** The version of Weir that wrote it. */
  readonly weir: string;
}

const another = '`weir resume` sets it aside and makes it again from the one before it, which is kept';

/** How many bytes at the beginning of a snapshot file say what it is: all but its segments. `bytes` are the first 72 or more. */
export function headBytes(bytes: Uint8Array, file: string): number {
  const { headerBytes, tableBytes } = readPreamble(bytes, ...throwers(file));
  return preambleBytes + aligned(headerBytes) + aligned(tableBytes);
}

/**
 * The snapshot in the bytes of `file`. Its typed arrays are views of `bytes` where they lie aligned there.
 *
 * Every checksum is verified before any data is decoded. Throws a `SnapshotError` that names the file, and the segment
 * where one is cut short or altered.
 */
export function decode(bytes: Uint8Array, file: string): Snapshot {
  const [fail] = throwers(file);
  const { head, table, total, headEnd } = decodedHead(bytes, file);
  let end = headEnd;
  const starts = table.map((entry, i) => {
    const start = end;
    end += aligned(entry.bytes);
    if (bytes.length < end) {
      const there = Math.max(0, Math.min(entry.bytes, bytes.length - start));
      const which = `segment ${i} '${entry.name}'`;
      fail(`is cut short in ${which}: ${there} of its ${entry.bytes} bytes are there`, entry.name);
    }
    return start;
  });
  if (bytes.length !== total || end !== total) fail(`has ${bytes.length} bytes, but says that it has ${total}`);

  table.forEach(({ name, bytes: length, sha256: wanted }, i) => {
    const got = sha256Of(bytes.subarray(starts[i], starts[i]! + aligned(length)));
    if (got !== wanted) {
      throw new SnapshotError(
        `segment ${i} '${name}' of ${file} is altered: expected checksum ${short(wanted)}, got ${short(got)}`,
        another,
        file,
        name,
      );
    }
  });
  return snapshotOf(
    head(({ index, dtype, length }) => {
      const entry = table[index];
      if (entry?.bytes !== length * elementBytes(dtype))
        return fail(`refers to segment ${index}, which is not as it says`);
      return arrayOf(dtype, bytes.subarray(starts[index]).subarray(0, entry.bytes));
    }),
    file,
  );
}

/** The same of the first bytes of a file, `headBytes` at least: all that it holds but its arrays, which are empty. */
export function decodeHead(bytes: Uint8Array, file: string): Snapshot {
  return snapshotOf(
    decodedHead(bytes, file).head(({ dtype }) => arrayOf(dtype, new Uint8Array(0))),
    file,
  );
}

type Fail = (what: string, segment?: string, remedy?: string) => never;
type Altered = (what: string, wanted: string | number, got: string | number) => never;

function throwers(file: string): [Fail, Altered] {
  const fail: Fail = (what, segment, remedy = another) => {
    throw new SnapshotError(`snapshot ${file}: ${what}`, remedy, file, segment);
  };
  return [
    fail,
    (what, wanted, got) => fail(`${what} is altered: expected checksum ${short(wanted)}, got ${short(got)}`),
  ];
}

/** Header and table, verified; the header is built when the segments are known. */
function decodedHead(bytes: Uint8Array, file: string) {
  const [fail, altered]: [Fail, Altered] = throwers(file);
  const { total, headerBytes, tableBytes, headHash } = readPreamble(bytes, fail, altered);
  const headEnd = preambleBytes + aligned(headerBytes) + aligned(tableBytes);
  if (bytes.length < headEnd) fail(`is cut short in its header: ${bytes.length} of ${total} bytes are there`);
  const gotHead = sha256Of(bytes.subarray(preambleBytes, headEnd));
  if (gotHead !== headHash) altered('its header', headHash, gotHead);

  const understood = (start: number, length: number, segment?: Parameters<typeof unpack>[1]): Data => {
    try {
      return unpack(bytes.subarray(start, start + length), segment);
    } catch (error) {
      if (error instanceof SnapshotError) throw error;
      return fail(`cannot be understood: ${(error as Error).message}`);
    }
  };
  const table = understood(headEnd - aligned(tableBytes), tableBytes);
  if (!isTable(table)) return fail('has a table that is no list of segments');
  const head = (segment: Parameters<typeof unpack>[1]): Data => understood(preambleBytes, headerBytes, segment);
  return { head, table: table as readonly SegmentEntry[], total, headEnd };
}

function snapshotOf(head: Data, file: string): Snapshot {
  const [fail] = throwers(file);
  return isSnapshot(head)
    ? { data: head.data, about: head.about, weir: head.weir }
    : fail('has a header that says nothing');
}

const isTable = (data: Data): data is readonly SegmentEntry[] =>
  Array.isArray(data) &&
  data.every(
    (entry: Data) =>
      isRecord(entry) &&
      typeof entry.name === 'string' &&
      typeof entry.sha256 === 'string' &&
      Number.isSafeInteger(entry.bytes) &&
      (entry.bytes as number) >= 0,
  );

const isSnapshot = (data: Data): data is { readonly data: Data; readonly about: About; readonly weir: string } =>
  isRecord(data) && Object.hasOwn(data, 'data') && isRecord(data.about) && typeof data.weir === 'string';

function readPreamble(bytes: Uint8Array, fail: Fail, altered: Altered) {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { begins, isMagic, version, checksum, stated } = stampOf(bytes, magic);
  if (!isMagic) {
    const remedy = 'name a file that Weir wrote into the folder `snapshots` of a run';
    fail(
      `is no snapshot of Weir, or its first bytes are altered: expected '${magic}', got ${JSON.stringify(begins)}`,
      undefined,
      remedy,
    );
  }
  if (bytes.length < preambleBytes) fail(`is cut short: it has ${bytes.length} bytes, fewer than any snapshot`);
  if (checksum !== stated) altered('its preamble', stated, checksum);
  if (version !== formatVersion) {
    const remedy = `resume it with the version of Weir that wrote it${version > formatVersion ? ', or a newer one' : ''}`;
    fail(`has format version ${version}, but this Weir reads version ${formatVersion}`, undefined, remedy);
  }
  const whole = crc32(view.subarray(0, 64));
  if (whole !== view.readUInt32LE(64)) altered('its preamble', view.readUInt32LE(64), whole);
  if (view.readUInt32LE(68) !== 0) fail('its preamble is altered: bytes 68 to 71 are not zero');
  return {
    total: Number(view.readBigUInt64LE(16)),
    headerBytes: view.readUInt32LE(24),
    tableBytes: view.readUInt32LE(28),
    headHash: view.toString('hex', 32, 64),
  };
}

const short = (checksum: string | number): string =>
  typeof checksum === 'number' ? checksum.toString(16).padStart(8, '0') : checksum.slice(0, 16);
