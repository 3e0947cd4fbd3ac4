import { readFileSync } from 'node:fs';
import { isRecord, sizeOf } from '../../flow/data.js';
import { WeirError } from '../../flow/errors.js';
import { sha256Of } from '../../storage/digest.js';
import { writeAtomically } from '../../storage/disk.js';
import { version } from '../../storage/file-format.js';

/** Bytes of a number of each type that a safetensors file may hold. */
export const sizes: Readonly<Record<string, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

/** The types that weights are read from. */
const floatTypes = ['F64', 'F32', 'F16', 'BF16'] as const;

export type FloatType = (typeof floatTypes)[number];

const isFloatType = (type: string): type is FloatType => floatTypes.some((one) => one === type);

/** Little-endian numbers as float32: exactly those of F16 and BF16, the nearest ones of F64 (infinity beyond 3.4e38). */
function asFloat32(type: FloatType, bytes: Uint8Array): Float32Array {
  const own = new Uint8Array(bytes).buffer; // a copy, at an offset that any type may begin at
  if (type === 'F32') return new Float32Array(own);
  if (type === 'F64') return Float32Array.from(new Float64Array(own));
  const halves = new Uint16Array(own);
  if (type === 'F16') return Float32Array.from(halves, fromHalf);
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16; // the upper half of a float32
  return new Float32Array(bits.buffer);
}

/** A number of IEEE 754's binary16: 1 bit of sign, 5 of exponent, 10 of fraction. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

/** The format of a file that is no safetensors file, and the remedy. */
export interface OtherFormat {
  readonly what: string;
  readonly remedy: string;
}

const startsWith = (bytes: Uint8Array, ...magic: number[]): boolean => magic.every((byte, i) => bytes[i] === byte);

/** The format of a file by its first bytes; undefined where it is unknown. */
function otherFormat(bytes: Buffer, file: string): OtherFormat | undefined {
  const torch = {
    what: 'it is what torch.save writes, pickles that run code when they are read',
    remedy: `convert it: python3 -c "${converting(file)}"`,
  };
  if (startsWith(bytes, 0x50, 0x4b, 3, 4)) {
    if (bytes.subarray(0, 4096).includes('.pkl') || bytes.subarray(-65_536).includes('data.pkl')) return torch;
    return { what: 'it is a zip', remedy: 'unpack it, and name the .safetensors file in it' };
  }
  if (startsWith(bytes, 0x80) && bytes[1]! >= 2 && bytes[1]! <= 5) return torch; // before PyTorch 1.6: a pickle by itself
  if (startsWith(bytes, 0x89, 0x48, 0x44, 0x46)) {
    return {
      what: 'it is an HDF5 file, as Keras writes them',
      remedy: "store its weights by safetensors in Python, with PyTorch's names and layouts",
    };
  }
  if (startsWith(bytes, 0x1f, 0x8b)) return { what: 'it is gzip', remedy: 'unpack it with gunzip' };
  return undefined;
}

/** Python that makes a safetensors file of a state dict, whether it lies in the file alone or under 'state_dict' or 'model'. */
function converting(file: string): string {
  const to = file.replace(/\.(pth|pt|bin|th|ckpt|tar)$/i, '');
  return [
    'import torch, safetensors.torch as s',
    `d = torch.load('${file}', map_location='cpu', weights_only=True)`,
    "d = d.get('state_dict', d.get('model', d))",
    `s.save_file({k: v.contiguous() for k, v in d.items()}, '${to}.safetensors')`,
  ].join('; ');
}

export interface StoredTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** The content of a safetensors file. */
export interface WeightsFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** `__metadata__`, without the digest. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The number of tensors that were converted to float32, by their type. */
  readonly converted: Readonly<Partial<Record<FloatType, number>>>;
}

/** Bytes of the largest header that is read: far above that of any network. */
const most = 2 ** 24;

/** The key of `__metadata__` under which the SHA-256 of all else in the file stands: header and tensors. */
const digestKey = 'sha256';

interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** The tensors of a safetensors file, by name; see `readWeights`. */
export const readSafetensors = (file: string): ReadonlyMap<string, StoredTensor> => readWeights(file).tensors;

/**
 * Reads a safetensors file. Its tensors come as float32: those of F64, F16 and BF16 are converted. PyTorch's counters of batches,
 * 'num_batches_tracked', are left out.
 *
 * The file is data alone. Its header is checked before anything is taken from it: lengths, shapes, and offsets that neither overlap nor
 * leave gaps. Numbers must be finite, and where the file has a digest, as those of `weir export` do, every bit must agree with it.
 *
 * @throws {WeirError} naming the file and the tensor
 */
export function readWeights(file: string): WeightsFile {
  const bytes = read(file);
  const broken = (what: string, remedy = 'the file was cut short or altered: get it anew'): WeirError =>
    new WeirError(`${file} is no safetensors file: ${what}`, remedy);
  // the header's length may look like another format's magic, but no other one has a '{' behind it
  const other = bytes[8] === 0x7b ? undefined : otherFormat(bytes, file);
  if (other !== undefined) throw new WeirError(`${file} is no safetensors file: ${other.what}`, other.remedy);
  if (bytes.length < 8) throw broken(`it has ${bytes.length} bytes, and 8 say how long its header is`);
  const length = bytes.readBigUInt64LE(0);
  if (length > most || 8 + Number(length) > bytes.length) {
    throw broken(`its header would be ${length} bytes long, of ${bytes.length} in all`);
  }
  const start = 8 + Number(length);
  const header = headerOf(bytes.subarray(8, start), broken);
  const entries = entriesOf(header, broken);
  let at = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at) throw broken(`tensor '${name}' begins at byte ${begin} of the data, where ${at} is expected`);
    at = end;
  }
  if (at !== bytes.length - start) throw broken(`its tensors end at byte ${at} of ${bytes.length - start} of data`);
  const { [digestKey]: digest, ...metadata } = metadataOf(header, broken);
  const signed = digest !== undefined || Object.hasOwn(metadata, 'weir');
  if (signed && digest !== digestOf(header, [bytes.subarray(start)])) {
    throw new WeirError(
      `${file} was altered: its content does not agree with the digest in its __metadata__`,
      'export it again, or get it anew',
    );
  }
  const tensors = new Map<string, StoredTensor>();
  const converted: Partial<Record<FloatType, number>> = {};
  for (const { name, dtype, shape, begin, end } of entries) {
    if (name.endsWith('num_batches_tracked')) continue;
    if (!isFloatType(dtype)) throw broken(`tensor '${name}' is ${dtype}`, 'store its weights as float32');
    const values = asFloat32(dtype, bytes.subarray(start + begin, start + end));
    const odd = values.findIndex((value) => !Number.isFinite(value));
    if (odd >= 0)
      throw broken(
        `tensor '${name}' has ${values[odd]} at place ${odd}${dtype === 'F64' ? ', as float32' : ''}`,
        'store a network that has not diverged',
      );
    const negative = name.endsWith('running_var') ? values.findIndex((value) => value < 0) : -1;
    if (negative >= 0)
      throw broken(
        `tensor '${name}' has the variance ${values[negative]} at place ${negative}, of which there is no square root`,
        'get the file anew, or store the network again',
      );
    if (dtype !== 'F32') converted[dtype] = (converted[dtype] ?? 0) + 1;
    tensors.set(name, { shape, values });
  }
  return { tensors, metadata, converted };
}

/**
 * Writes tensors into a file, whole or not at all. The header is padded with spaces, so that numbers lie at multiples of 8 bytes.
 *
 * @param metadata goes into `__metadata__`, with Weir's version under 'weir', and a digest over all of it that `readWeights` checks
 */
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
  const data = [...tensors.values()].map(({ values }) => asBytes(values));
  // entries, not an object spread: also a tensor called '__proto__'
  const about = { ...metadata, weir: version };
  const plain: Header = Object.fromEntries<unknown>([['__metadata__', about], ...entries]);
  const signed = { ...about, [digestKey]: digestOf(plain, data) };
  const text = Buffer.from(JSON.stringify(Object.fromEntries<unknown>([['__metadata__', signed], ...entries])));
  const padded = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  writeAtomically(file, [length, padded, ...data], { remedy: 'give a file in a folder that can be written to' });
}

type Header = Readonly<Record<string, unknown>>;

/** SHA-256 over the header without its digest, by its keys in order of their names, and over the data. */
function digestOf(header: Header, data: readonly Uint8Array[]): string {
  const metadata = Object.entries((header.__metadata__ ?? {}) as Record<string, unknown>);
  const entries = Object.entries(header).filter(([name]) => name !== '__metadata__');
  const sorted = [metadata.filter(([key]) => key !== digestKey), entries].map((list) =>
    list.sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  const canonical = sorted[1]!.map(([name, entry]) => {
    const { dtype, shape, data_offsets } = entry as Record<string, unknown>;
    return [name, dtype, shape, data_offsets];
  });
  return sha256Of(JSON.stringify([sorted[0], canonical]), ...data);
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function headerOf(bytes: Uint8Array, broken: (what: string) => WeirError): Header {
  let header: unknown;
  try {
    header = JSON.parse(strict.decode(bytes));
  } catch (error) {
    throw broken(`its header is not JSON: ${(error as Error).message}`);
  }
  if (!isRecord(header)) throw broken('its header is not an object');
  return header;
}

function metadataOf(header: Header, broken: (what: string) => WeirError): Record<string, string> {
  const found = Object.hasOwn(header, '__metadata__') ? header.__metadata__ : {};
  const isText = isRecord(found) && Object.values(found).every((value) => typeof value === 'string');
  if (!isText) throw broken('its __metadata__ is not an object of text');
  return { ...(found as Record<string, string>) };
}

function entriesOf(header: Header, broken: (what: string) => WeirError): Entry[] {
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
      const wanted = size * sizeOf(shape);
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
