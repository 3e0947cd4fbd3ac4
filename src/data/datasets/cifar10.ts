import { existsSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { WeirError } from '../../flow/errors.js';
import { checkOptions } from '../../flow/options.js';
import { type Dataset, sharedBytes } from '../dataset.js';
import { content, GET_AGAIN } from './content.js';

export interface Cifar10Options {
  /** A folder with the files of CIFAR-10's binary version, each plain or with .gz. */
  readonly data: string;
  /** Number of training images, from the first on; all by default. */
  readonly train?: number;
  /** Number of test images; all by default. */
  readonly test?: number;
  /** Names of other files to read, without .gz, such as a part of the training set that is held out. */
  readonly files?: { readonly train?: readonly string[]; readonly test?: readonly string[] };
}

const CIFAR10_NAMES: readonly string[] = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
];

/** Shape and classes of the samples. */
export const cifar10Task = { sampleShape: [32, 32, 3], classes: CIFAR10_NAMES } as const;

const SIDE = 32;
const PIXELS = SIDE * SIDE;
const RECORD = 1 + 3 * PIXELS;
const TRAIN = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`);
const TEST = ['test_batch.bin'];
const HAS = `give a folder that holds ${TRAIN.join(', ')} and ${TEST[0]}, each plain or with .gz`;

/**
 * CIFAR-10, 32 × 32 images of bytes in [height, width, channels], from its binary files (https://www.cs.toronto.edu/~kriz/cifar.html).
 *
 * Reads those of the five training files that exist, in their order.
 *
 * @throws {WeirError} for a folder without such files, a file of another length, a label above 9, or fewer images than asked for
 * @example const { train, test } = cifar10({ data: 'data/cifar10', train: 10_000 });
 */
export function cifar10(options: Cifar10Options): { train: Dataset; test: Dataset } {
  const {
    data,
    train,
    test,
    files = {},
  } = checkOptions('cifar10', options, { data: 'required', train: 'optional', test: 'optional', files: 'optional' });
  const folder = resolve(data);
  if (!existsSync(folder)) throw new WeirError(`there is no folder '${folder}' to read CIFAR-10 from`, HAS);
  if (!statSync(folder).isDirectory()) throw new WeirError(`'${folder}' is no folder to read CIFAR-10 from`, HAS);
  const there = (name: string): string | undefined =>
    [name, `${name}.gz`].map((candidate) => join(folder, candidate)).find((path) => existsSync(path));
  const named = (names: readonly string[]): string[] =>
    names.map((name) => {
      const file = there(name);
      if (file === undefined) throw new WeirError(`'${folder}' has no ${name} and no ${name}.gz (CIFAR-10)`, HAS);
      return file;
    });
  const batches = files.train ? named(files.train) : TRAIN.map(there).filter((file) => file !== undefined);
  if (batches.length === 0) throw new WeirError(`'${folder}' has no training files of CIFAR-10`, HAS);
  return { train: read('cifar10/train', batches, train), test: read('cifar10/test', named(files.test ?? TEST), test) };
}

/** The images of one file of CIFAR-10's binary version, plain or gzip, whatever its name. */
export const cifar10File = (file: string): Dataset => read(`cifar10/${basename(file)}`, [resolve(file)]);

function read(name: string, files: readonly string[], wanted?: number): Dataset {
  if (wanted !== undefined && !(Number.isInteger(wanted) && wanted > 0)) {
    throw new WeirError(`${wanted} images of '${name}' were asked for`, 'give a whole number from 1 on');
  }
  const batches: Uint8Array[] = [];
  let found = 0;
  for (const file of files) {
    if (wanted !== undefined && found >= wanted) break;
    const bytes = content(file);
    found += check(file, bytes);
    batches.push(bytes);
  }
  if (wanted !== undefined && found < wanted) {
    throw new WeirError(
      `${wanted} images of '${name}' were asked for, but ${files.map((file) => `'${file}'`).join(', ')} hold ${found}`,
      `ask for ${found} or fewer, or add the other files of CIFAR-10`,
    );
  }
  const size = wanted ?? found;
  const values = sharedBytes(size * 3 * PIXELS);
  const labels = sharedBytes(size);
  let at = 0;
  for (const bytes of batches) {
    for (let from = 0; from < bytes.length && at < size; from += RECORD, at++) {
      labels[at] = bytes[from]!;
      interleave(bytes, from + 1, values, at * 3 * PIXELS);
    }
  }
  return { name, size, ...cifar10Task, values, labels };
}

/** The number of records of a file; each is a label and three planes of pixels. */
function check(file: string, bytes: Uint8Array): number {
  const records = Math.floor(bytes.length / RECORD);
  const over = bytes.length % RECORD;
  if (records === 0 || over !== 0) {
    throw new WeirError(
      `'${file}' is no whole file of CIFAR-10: ${over} bytes follow ${records} records of ${RECORD} bytes`,
      GET_AGAIN,
    );
  }
  for (let record = 0; record < records; record++) {
    const label = bytes[record * RECORD]!;
    if (label < CIFAR10_NAMES.length) continue;
    throw new WeirError(`record ${record} of '${file}' has label ${label}, not one from 0 to 9`, GET_AGAIN);
  }
  return records;
}

/** Turns planes of red, green and blue into pixels. */
function interleave(from: Uint8Array, start: number, to: Uint8Array, at: number): void {
  for (let i = 0, out = at; i < PIXELS; i++, out += 3) {
    to[out] = from[start + i]!;
    to[out + 1] = from[start + PIXELS + i]!;
    to[out + 2] = from[start + 2 * PIXELS + i]!;
  }
}
