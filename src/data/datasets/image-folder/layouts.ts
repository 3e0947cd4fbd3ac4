import { type BigIntStats, type Dirent, existsSync, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, extname, join, sep } from 'node:path';
import { WeirError } from '../../../flow/errors.js';
import { canonicalName } from '../../../flow/header.js';
import { nameFrom, pathFor, shownName } from '../../images/reader.js';
import { content, GET_AGAIN } from '../content.js';
import { matIntegers, matTexts, readMat } from './mat.js';

/** The images of a data set, before any is opened. */
export interface Listing {
  /** The layout that was recognized. */
  readonly layout: string;
  readonly classes: readonly string[];
  /** Paths below the folder, with '/', and the label of each; in the order of the data set. */
  readonly paths: readonly string[];
  readonly labels: readonly number[];
  /** Numbers of files among them that are not read, by ending or kind. */
  readonly passedOver?: ReadonlyMap<string, number>;
}

/** Links out of the folder: refused, or followed as torchvision follows them. */
export type Links = 'inside' | 'follow';

const IMAGE = /\.(jpe?g|jpe|jfif|png|webp|gif|tiff?|avif|bmp)$/i;

const OTHER_IMAGE = /^\.(p[bgpn]m|hei[cf]|jxl|jp2|j2k|svg|ico|tga|psd|exr|hdr|raw|dng|cr2|nef|arw)$/i;

/** Whether files with that ending are images of a kind that is not read. */
export const isOtherImage = (ending: string): boolean => OTHER_IMAGE.test(ending);

/** Whether a file is taken for an image: by its ending, and not hidden. */
const isImageName = (name: string): boolean => IMAGE.test(name) && !name.startsWith('.');

/** Order by code units: the same in every language. */
export const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * The entries of a folder below `root`, without hidden ones, sorted by name.
 *
 * @throws {WeirError} for a link that leads nowhere, or out of `root` unless such links are followed
 */
export function entries(
  root: string,
  below: string,
  links: Links,
): { readonly folders: string[]; readonly files: string[] } {
  const folders: string[] = [];
  const files: string[] = [];
  const path = join(root, below);
  let found: Dirent<Buffer>[];
  try {
    found = readdirSync(pathFor(path), { withFileTypes: true, encoding: 'buffer' });
  } catch (cause) {
    throw new WeirError(
      `'${shownName(path)}' cannot be read: ${(cause as Error).message}`,
      'check that it exists and is yours',
      { cause },
    );
  }
  for (const entry of found) {
    const name = nameFrom(entry.name);
    if (name.startsWith('.')) continue;
    const isFolder = entry.isSymbolicLink() ? linked(root, join(path, name), links) : entry.isDirectory();
    (isFolder ? folders : files).push(name);
  }
  return { folders: folders.sort(byName), files: files.sort(byName) };
}

/** Whether a link leads to a folder. */
function linked(root: string, path: string, links: Links): boolean {
  let target: string;
  try {
    target = realPath(path);
  } catch (cause) {
    throw new WeirError(`the link '${shownName(path)}' leads nowhere`, 'remove or repair it', { cause });
  }
  if (links === 'inside') checkInside(root, path, target);
  return statSync(pathFor(target)).isDirectory();
}

/** A path without links. */
const realPath = (path: string): string => nameFrom(realpathSync.native(pathFor(path), 'buffer'));

/** Refuses a path whose target is not below `root` (itself without links). */
export function checkInside(root: string, path: string, target: string): void {
  if (target.startsWith(root.endsWith(sep) ? root : root + sep)) return;
  throw new WeirError(
    `'${shownName(path)}' leads out of the folder, to '${shownName(target)}'`,
    'put the files themselves there, give the folder that holds all of them, or follow such links: `--set links=follow` (`--links follow` with weir pack)',
  );
}

/** Properties of files that are not opened. */
export interface FileStats {
  /** Length; −1 for a missing file, −2 for a pipe or device, which could be read for ever. */
  readonly bytes: Float64Array;
  /** Times of contents and of entry, in nanoseconds, and inode: they change when a file is written or replaced. */
  readonly marks: readonly string[];
}

/**
 * Sizes and times of files below `root`.
 *
 * @throws {WeirError} for a path that leads out of `root` by '..', or by a link unless such links are followed
 */
export function statFiles(root: string, paths: readonly string[], links: Links): FileStats {
  const bytes = new Float64Array(paths.length);
  const marks = new Array<string>(paths.length).fill('');
  const inside = new Set<string>();
  for (const [i, path] of paths.entries()) {
    const file = join(root, path);
    if (links === 'follow' && path.split('/').includes('..')) {
      throw new WeirError(`a list of '${root}' names '${shownName(path)}', which leads out of the folder`, GET_AGAIN);
    }
    let stats: BigIntStats;
    try {
      const folder = dirname(file);
      if (!inside.has(folder)) {
        const target = realPath(folder);
        if (target !== root && links === 'inside') checkInside(root, folder, target);
        inside.add(folder);
      }
      stats = lstatSync(pathFor(file), { bigint: true });
      if (stats.isSymbolicLink()) {
        if (links === 'inside') checkInside(root, file, realPath(file));
        stats = statSync(pathFor(file), { bigint: true });
      }
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
      bytes[i] = -1;
      continue;
    }
    bytes[i] = stats.isFile() ? Number(stats.size) : -2;
    marks[i] = `${stats.mtimeNs} ${stats.ctimeNs} ${stats.ino}`;
  }
  return { bytes, marks };
}

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
  const all = nameFrom(content(file)).split('\n'); // paths are bytes, here as in the folder
  return all.flatMap((line, i) => {
    const path = line.trim();
    if (path === '') return [];
    if (/^[^/]+\/[^/].*$/.test(path)) return [path];
    throw new WeirError(`line ${i + 1} of '${file}' is '${path}', not CLASS/IMAGE`, 'put the original list back');
  });
}
