import { existsSync } from 'node:fs';
import { extname, join } from 'node:path';
import { WeirError } from '../../../flow/errors.js';
import { canonicalName } from '../../../flow/header.js';
import { shownName } from '../../images/locations.js';
import { content, GET_AGAIN } from '../content.js';
import { byName, entries, isImageName, isOtherImage, type Links, type Listing } from './listing.js';
import { matIntegers, matTexts, readMat } from './mat.js';

const DEEPEST = 16;

/**
 * ImageNet's layout: SPLIT/CLASS/image, or CLASS/image where no split is asked for. Images in deeper folders of a class belong to it.
 *
 * @throws {WeirError} for a class without an image
 */
export function classFolders(root: string, split: string | undefined, links: Links): Listing {
  const top = split ?? '.';
  const there = entries(root, '.', links).folders;
  if (split !== undefined && !there.includes(split)) {
    throw new WeirError(
      `'${root}' has no folder '${split}'`,
      there.length > 0
        ? `name one that it has: ${there.slice(0, 20).join(', ')}`
        : 'give a folder of folders of images',
    );
  }
  const { folders, files: beside } = entries(root, top, links);
  // in the order of the names in one spelling, so that a copy made on another system has the same labels
  const classes = folders.sort((a, b) => byName(canonicalName(a), canonicalName(b)));
  if (classes.length === 0) {
    throw new WeirError(
      `'${split === undefined ? root : `${root}/${split}`}' has no folders of classes`,
      'give a folder with one folder for each class, or with the split files of Flowers-102, Stanford Dogs or MIT Indoor',
    );
  }
  const paths: string[] = [];
  const labels: number[] = [];
  const passedOver = new Map<string, number>();
  const pass = (what: string): void => void passedOver.set(what, (passedOver.get(what) ?? 0) + 1);
  for (const file of beside) if (isImageName(file)) pass('images outside of class folders');
  for (const [label, name] of classes.entries()) {
    const before = paths.length;
    const below = split === undefined ? name : `${split}/${name}`;
    for (const path of images(root, below, links, (file) => pass(extname(file).toLowerCase() || 'without an ending'))) {
      paths.push(path);
      labels.push(label);
    }
    if (paths.length > before) continue;
    const other = [...passedOver.keys()].filter(isOtherImage);
    throw new WeirError(
      `class '${shownName(name)}' of '${root}' has no image in '${shownName(below)}'${other.length > 0 ? ` but of kinds that are not read: ${other.join(', ')}` : ''}`,
      other.length > 0 ? 'convert them to PNG' : 'put its images there, or remove the empty folder',
    );
  }
  return { layout: 'folders of classes', classes: classes.map(shownName), paths, labels, passedOver };
}

function* images(root: string, below: string, links: Links, passedOver: (file: string) => void): Generator<string> {
  if (below.split('/').length > DEEPEST) {
    throw new WeirError(
      `'${root}' goes deeper than ${DEEPEST} folders: '${shownName(below)}'`,
      'look for a link to a folder above',
    );
  }
  const { folders, files } = entries(root, below, links);
  for (const file of files) {
    if (isImageName(file)) yield `${below}/${file}`;
    else passedOver(file);
  }
  for (const folder of folders) yield* images(root, `${below}/${folder}`, links, passedOver);
}

/** Names of the splits in `setid.mat`. */
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

const INDOOR_LISTS: { readonly [split: string]: string } = { train: 'TrainImages.txt', test: 'TestImages.txt' };

/** MIT Indoor-67: Images/CLASS/image, with `TrainImages.txt` and `TestImages.txt`, a path a line; both name the classes. */
export function mitIndoor(root: string, split = 'train'): Listing {
  const name = INDOOR_LISTS[split];
  if (name === undefined) {
    throw new WeirError(`MIT Indoor has no split '${split}'`, `name one of ${Object.keys(INDOOR_LISTS).join(', ')}`);
  }
  const classes = [
    ...new Set(Object.values(INDOOR_LISTS).flatMap((file) => lines(join(root, file)).map(classOf))),
  ].sort(byName);
  const labelOf = new Map(classes.map((of, label) => [of, label]));
  const listed = lines(join(root, name));
  return {
    layout: 'MIT Indoor',
    classes,
    paths: listed.map((line) => `Images/${line}`),
    labels: listed.map((line) => labelOf.get(classOf(line))!),
  };
}

const classOf = (line: string): string => canonicalName(line.slice(0, line.indexOf('/')));

function lines(file: string): string[] {
  if (!existsSync(file)) return [];
  const all = new TextDecoder().decode(content(file)).split('\n');
  return all.flatMap((line, i) => {
    const path = line.trim();
    if (path === '') return [];
    if (/^[^/]+\/[^/].*$/.test(path)) return [path];
    throw new WeirError(`line ${i + 1} of '${file}' is '${path}', not CLASS/IMAGE`, 'put the original list back');
  });
}
