import { join } from 'node:path';
import { WeirError } from '../../../flow/errors.js';
import type { Listing } from './image-folder-listing.js';
import { matIntegers, readMat } from './mat.js';

/** What `setid.mat` calls each split. */
const FLOWERS_SPLITS: { readonly [split: string]: string } = { train: 'trnid', val: 'valid', test: 'tstid' };
const FLOWERS_CLASSES = 102;

/** Oxford Flowers-102: jpg/image_00001.jpg and so on, with `imagelabels.mat` and `setid.mat`. */
export function flowers102(root: string, split = 'train'): Listing {
  const key = FLOWERS_SPLITS[split];
  if (key === undefined) {
    throw new WeirError(`Flowers-102 has no split '${split}'`, `name one of ${Object.keys(FLOWERS_SPLITS).join(', ')}`);
  }
  const [labelFile, splitFile] = [join(root, 'imagelabels.mat'), join(root, 'setid.mat')];
  const all = matIntegers(labelFile, readMat(labelFile), 'labels', 1, FLOWERS_CLASSES);
  const ids = matIntegers(splitFile, readMat(splitFile), key, 1, all.length);
  return {
    layout: 'Oxford Flowers-102',
    classes: Array.from({ length: FLOWERS_CLASSES }, (_, i) => String(i + 1)),
    paths: Array.from(ids, (id) => `jpg/image_${String(id).padStart(5, '0')}.jpg`),
    labels: Array.from(ids, (id) => all[id - 1]! - 1),
  };
}
