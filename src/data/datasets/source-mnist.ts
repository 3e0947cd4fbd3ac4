import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { WeirError } from '../../flow/errors.js';
import type { Dataset } from '../feed-dataset.js';
import { split } from '../split.js';
import { digits } from './digits.js';
import { type IdxKind, readIdx } from './idx.js';

export interface MnistOptions {
  /** A folder with the four files of MNIST, or 'embedded' for the 10,000 real digits that come with Weir. */
  readonly data?: string;
  /** Which of the embedded digits are held out for the test; MNIST's own files say it themselves. */
  readonly seed?: number;
  /** How many of the embedded digits are held out, as many of each class as its share. */
  readonly testSize?: number;
}

const FILES = {
  train: { images: 'train-images-idx3-ubyte', labels: 'train-labels-idx1-ubyte' },
  test: { images: 't10k-images-idx3-ubyte', labels: 't10k-labels-idx1-ubyte' },
} as const;

export const DIGIT_NAMES: readonly string[] = [...'0123456789'];

/**
 * Handwritten digits, 28 × 28 bytes each: MNIST from a folder, or the embedded ones.
 *
 * @example const { train, test } = mnist({ data: 'data/mnist' });
 */
export function mnist({ data = 'embedded', seed = 0, testSize = 2000 }: MnistOptions = {}): {
  train: Dataset;
  test: Dataset;
} {
  if (data === 'embedded') return split(digits(), { seed, testSize });
  const folder = resolve(data);
  if (!existsSync(folder)) throw new WeirError(`there is no folder '${folder}' to read MNIST from`, looksFor);
  if (!statSync(folder).isDirectory()) throw new WeirError(`'${folder}' is no folder to read MNIST from`, looksFor);
  return { train: part(folder, 'train'), test: part(folder, 'test') };
}

const names = Object.values(FILES).flatMap((part) => Object.values(part));
const looksFor = `give a folder that holds ${names.join(', ')}, each plain or with .gz, or 'embedded' for the digits that come with Weir`;

function part(folder: string, which: keyof typeof FILES): Dataset {
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
      'fetch the file again from where it came',
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
