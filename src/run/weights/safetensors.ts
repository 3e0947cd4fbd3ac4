import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { WeirError } from '../../core/errors.js';

export interface StoredTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Bytes of the largest header that is read: far above that of any network. */
const most = 2 ** 24;

/** Bytes a number of each type that a file may hold; only F32 is read. */
const sizes: Readonly<Record<string, number>> = {
  ...{ F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U8: 1, BOOL: 1 },
};

interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * The float32 tensors of a safetensors file, by name. PyTorch's counters of batches, 'num_batches_tracked', are left out.
 *
 * The file is data alone; its header is checked before anything is taken from it: lengths, shapes, offsets that neither overlap nor leave
 * gaps, numbers that are finite.
 *
 * @throws {WeirError} naming the file and the tensor
 */
export function readSafetensors(file: string): ReadonlyMap<string, StoredTensor> {
  const bytes = read(file);
  const broken = (what: string, remedy = 'the file was cut short or altered: get it anew'): WeirError =>
    new WeirError(`${file} is no safetensors file: ${what}`, remedy);
  if (bytes.length < 8) throw broken(`it has ${bytes.length} bytes, and 8 say how long its header is`);
  const length = bytes.readBigUInt64LE(0);
  if (length > most || 8 + Number(length) > bytes.length) {
    throw broken(`its header would be ${length} bytes long, of ${bytes.length} in all`);
  }
  const start = 8 + Number(length);
  const entries = entriesOf(bytes.toString('utf8', 8, start), broken);
  let at = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at) throw broken(`tensor '${name}' begins at byte ${begin} of the data, where ${at} is expected`);
    at = end;
  }
  if (at !== bytes.length - start) throw broken(`its tensors end at byte ${at} of ${bytes.length - start} of data`);
  const tensors = new Map<string, StoredTensor>();
  for (const { name, dtype, shape, begin, end } of entries) {
    if (name.endsWith('num_batches_tracked')) continue;
    if (dtype !== 'F32') throw broken(`tensor '${name}' is ${dtype}`, 'store its weights as float32');
    const values = new Float32Array(new Uint8Array(bytes.subarray(start + begin, start + end)).buffer);
    const odd = values.findIndex((value) => !Number.isFinite(value));
    if (odd >= 0)
      throw broken(`tensor '${name}' has ${values[odd]} at place ${odd}`, 'store a network that has not diverged');
    tensors.set(name, { shape, values });
  }
  return tensors;
}

/** Writes tensors beside the file, then in its place. The header is padded with spaces, so that numbers lie at multiples of 8 bytes. */
export function writeSafetensors(
  file: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  let at = 0;
  const entries = [...tensors].map(([name, { shape, values }]) => {
    const begin = at;
    at += values.byteLength;
    return [name, { dtype: 'F32', shape, data_offsets: [begin, at] }] as const;
  });
  const header = Object.fromEntries<unknown>([['__metadata__', metadata], ...entries]); // also a tensor called '__proto__'
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const part = `${file}.part`;
  try {
    const handle = openSync(part, 'w');
    try {
      for (const piece of [length, padded, ...[...tensors.values()].map(({ values }) => asBytes(values))]) {
        for (let done = 0; done < piece.length; ) done += writeSync(handle, piece, done);
      }
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(part, file);
  } catch (cause) {
    rmSync(part, { force: true });
    throw new WeirError(
      `cannot write ${file}: ${(cause as Error).message}`,
      'give a file in a folder that can be written to',
      {
        cause,
      },
    );
  }
}

function entriesOf(text: string, broken: (what: string) => WeirError): Entry[] {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (error) {
    throw broken(`its header is not JSON: ${(error as Error).message}`);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw broken('its header is not an object');
  return Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => {
      const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
      const size = sizes[String(dtype)];
      if (size === undefined) throw broken(`tensor '${name}' is of type ${JSON.stringify(dtype)}`);
      if (!isCounts(shape)) throw broken(`tensor '${name}' has shape ${JSON.stringify(shape)}`);
      if (!isCounts(offsets) || offsets.length !== 2)
        throw broken(`tensor '${name}' has offsets ${JSON.stringify(offsets)}`);
      const [begin, end] = offsets as [number, number];
      const wanted = shape.reduce((product, extent) => product * extent, size);
      if (end - begin !== wanted) {
        throw broken(`tensor '${name}' of shape [${shape.join(', ')}] has ${end - begin} bytes, not ${wanted}`);
      }
      return { name, dtype: String(dtype), shape, begin, end };
    });
}

const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((one) => Number.isSafeInteger(one) && one >= 0);

const asBytes = (values: Float32Array): Buffer => Buffer.from(values.buffer, values.byteOffset, values.byteLength);

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const remedy = `name a .safetensors file${code === 'EISDIR' ? '; weights of a run are fromRun(folder)' : ''}`;
    throw new WeirError(`cannot read ${file}: ${code}`, remedy, { cause });
  }
}
