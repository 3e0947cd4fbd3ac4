import { join } from 'node:path';
import { WeirError } from '../../../flow/errors.js';
import { GET_AGAIN } from '../content.js';
import type { Listing } from './image-folder-listing.js';
import { matIntegers, matTexts, readMat } from './mat.js';

const DOGS_SPLITS = ['train', 'test'];
const DOGS_CLASSES = 120;

/** Stanford Dogs: Images/BREED/image, with `train_list.mat` and `test_list.mat`; its classes are the breeds' folders in their order. */
export function stanfordDogs(root: string, split = 'train'): Listing {
  if (!DOGS_SPLITS.includes(split)) {
    throw new WeirError(`Stanford Dogs has no split '${split}'`, `name one of ${DOGS_SPLITS.join(', ')}`);
  }
  const file = join(root, `${split}_list.mat`);
  const mat = readMat(file);
  const names = matTexts(file, mat, 'file_list');
  const labels = matIntegers(file, mat, 'labels', 1, DOGS_CLASSES);
  if (labels.length !== names.length) {
    throw new WeirError(`'${file}' has ${names.length} files, but ${labels.length} labels`, GET_AGAIN);
  }
  const classes: string[] = Array.from({ length: Math.max(...labels) }, (_, i) => String(i + 1));
  for (const [i, name] of names.entries()) classes[labels[i]! - 1] = name.split('/')[0]!;
  return {
    layout: 'Stanford Dogs',
    classes,
    paths: names.map((name) => `Images/${name}`),
    labels: Array.from(labels, (label) => label - 1),
  };
}
