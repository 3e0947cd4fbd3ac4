import { existsSync, realpathSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { WeirError } from '../../../flow/errors.js';
import { checkOptions } from '../../../flow/options.js';
import { toError, visibleLine } from '../../../flow/terminal.js';
import type { ImageDataset } from '../../dataset.js';
import { shared, sharedPaths, shownName } from '../../images/reader.js';
import { distinctNames, sharedLabels } from '../../sample-check.js';
import { type Inspection, inspectCached } from './inspection.js';
import {
  classFolders,
  type FileStats,
  flowers102,
  isOtherImage,
  type Links,
  type Listing,
  mitIndoor,
  stanfordDogs,
  statFiles,
} from './layouts.js';

/** The contents of a folder of images. */
export interface FolderReport {
  readonly folder: string;
  readonly layout: string;
  readonly split: string | undefined;
  /** Images that can be read, and the bytes they take. */
  readonly images: number;
  readonly bytes: number;
  readonly classes: readonly { readonly name: string; readonly images: number }[];
  /** Width and height, least and most. */
  readonly width: readonly [least: number, most: number];
  readonly height: readonly [least: number, most: number];
  /** Files among the images that are not read, by ending or kind. */
  readonly passedOver: readonly { readonly what: string; readonly files: number }[];
  readonly unreadable: readonly { readonly path: string; readonly why: string }[];
}

const SHOWN = 20;

/** A report as lines of text: numbers of images and classes, balance of the classes, and unreadable files. */
export const reportLines = (report: FolderReport): string[] => linesOf(report).map(visibleLine);

function linesOf({ folder, split, ...report }: FolderReport): string[] {
  const { images, classes, layout, bytes, width, height, unreadable, passedOver } = report;
  const name = split === undefined ? folder : `${folder} (${split})`;
  const sizes = `${range(...width)} x ${range(...height)} pixels`;
  const lines = [
    `${name}: ${images} images of ${classes.length} classes (${layout}), ${(bytes / 1e6).toFixed(1)} MB, ${sizes}`,
    `  ${balance(classes)}`,
  ];
  if (passedOver.length > 0) {
    const files = passedOver.reduce((sum, { files }) => sum + files, 0);
    const kinds = passedOver.map(({ what, files }) => `${files} ${what}`).join(', ');
    const other = passedOver.some(({ what }) => isOtherImage(what)) ? '; convert images of other kinds to PNG' : '';
    lines.push(`  ${files} ${files === 1 ? 'file' : 'files'} passed over: ${kinds}${other}`);
  }
  if (unreadable.length === 0) return lines;
  lines.push(`  ${unreadable.length} unreadable, left out:`);
  for (const { path, why } of unreadable.slice(0, SHOWN)) lines.push(`    ${path}: ${why}`);
  if (unreadable.length > SHOWN) lines.push(`    and ${unreadable.length - SHOWN} more`);
  return lines;
}

const range = (least: number, most: number): string => (least === most ? String(least) : `${least}–${most}`);

function balance(classes: FolderReport['classes']): string {
  const ordered = [...classes].sort((a, b) => a.images - b.images);
  const [least, most] = [ordered[0]!, ordered.at(-1)!];
  if (least.images === most.images) return `${least.images} of each class`;
  const median = ordered[ordered.length >> 1]!.images;
  return `from ${least.images} of '${least.name}' to ${most.images} of '${most.name}', median ${median}`;
}

export interface ImageFolderOptions {
  readonly folder: string;
  /** A part of the data set: a folder of ImageNet's layout ('train', 'val'), or the name of an official list. */
  readonly split?: string;
  /** An image that cannot be read makes the call fail (the default), or is skipped. Either way it is named. */
  readonly unreadable?: 'fail' | 'skip';
  /** A link that leads out of the folder is refused (the default), or followed, as torchvision does. */
  readonly links?: Links;
  /** How each image is verified, once, before training: decoded to its last row (the default), or by its header alone. */
  readonly verify?: 'decode' | 'header';
  /** Pixels of the shorter side to which images are decoded, a JPEG at part of its size: cheaper, with other bits than resizing later. */
  readonly shorter?: number;
  /** Takes the report, line by line; standard error by default. */
  readonly say?: (line: string) => void;
}

export interface ImageFolder extends ImageDataset {
  readonly report: FolderReport;
}

/**
 * A folder of images with a folder for each class (ImageNet's layout), or Flowers-102, Stanford Dogs or MIT Indoor with their own lists.
 *
 * Every image is opened once; Weir's cache stores the result until path, size, times or inode change. `say` gets a report of the folder.
 * Training reads and decodes on worker threads.
 *
 * @throws {WeirError} for a class without images, a link out of the folder, a list that names a missing file, an image that cannot
 * be read (unless it is skipped)
 * @example
 * const train = await imageFolder({ folder: 'imagenet', split: 'train' });
 * loader(train, { epochs: 90, seed }).pipe(augment([randomResizedCrop({ size: 224 }), unitScale()], { seed }), batch(512));
 */
export async function imageFolder(options: ImageFolderOptions): Promise<ImageFolder> {
  checkOptions('imageFolder', options, {
    folder: 'required',
    split: 'optional',
    unreadable: 'optional',
    links: 'optional',
    verify: 'optional',
    shorter: 'optional',
    say: 'optional',
  });
  const {
    folder,
    split,
    unreadable = 'fail',
    links = 'inside',
    verify = 'decode',
    shorter,
    say = toStandardError,
  } = options;
  if (shorter !== undefined && !(Number.isInteger(shorter) && shorter > 0)) {
    throw new WeirError(`the shorter side is to be ${shorter} pixels`, 'give a whole number from 1 on');
  }
  const given = resolve(folder);
  if (!existsSync(given) || !statSync(given).isDirectory()) {
    throw new WeirError(`there is no folder '${given}' to read images from`, 'give the folder that holds the images');
  }
  const root = realpathSync(given);
  const listing = list(root, split, links);
  const stats = statFiles(root, listing.paths, links);
  const found = await inspectCached({ root, split, paths: listing.paths, stats, verify }, (done, of) =>
    say(`  ${done} of ${of} images verified`),
  );
  if (found.unreadable.length > 0 && unreadable === 'fail') throw refused(root, listing, found);
  const made = assemble({ root, given, split, shorter }, listing, stats, found);
  for (const line of reportLines(made.report)) say(line);
  return made;
}

const toStandardError = (line: string): void => void toError(`${line}\n`);

/** The images of the folder; class names in one spelling (Unicode NFC), whatever the file system's. */
function list(root: string, split: string | undefined, links: Links): Listing {
  const listing = listed(root, split, links);
  const of = split === undefined ? root : join(root, split);
  const names = distinctNames(
    { of, names: listing.classes },
    'put their images into one folder, or rename one of them',
  );
  return { ...listing, classes: names };
}

function listed(root: string, split: string | undefined, links: Links): Listing {
  const has = (name: string): boolean => existsSync(join(root, name));
  if (has('setid.mat') && has('imagelabels.mat')) return flowers102(root, split);
  if (has('train_list.mat')) return stanfordDogs(root, split);
  if (has('TrainImages.txt')) return mitIndoor(root, split);
  return classFolders(root, split, links);
}

function refused(root: string, { paths }: Listing, { unreadable }: Inspection): WeirError {
  const shown = unreadable.slice(0, 5).map(({ index, why }) => `'${shownName(paths[index]!)}' (${why})`);
  const more = unreadable.length > 5 ? ` and ${unreadable.length - 5} more` : '';
  return new WeirError(
    `${unreadable.length} of ${paths.length} images of '${root}' cannot be read: ${shown.join(', ')}${more}`,
    "repair or remove them, or skip them: `--set unreadable=skip` (`--skip` with weir pack, `unreadable: 'skip'` in a module)",
  );
}

interface FolderPart {
  readonly root: string;
  readonly given: string;
  readonly split: string | undefined;
  readonly shorter: number | undefined;
}

function assemble(asked: FolderPart, listing: Listing, stats: FileStats, found: Inspection): ImageFolder {
  const { root, given, split, shorter } = asked;
  const bad = new Set(found.unreadable.map(({ index }) => index));
  const good = Array.from(listing.paths.keys()).filter((index) => !bad.has(index));
  const of = (array: Uint32Array | Float64Array) => good.map((index) => array[index]!);
  const labels = sharedLabels(listing.classes.length, good.length);
  const counts = listing.classes.map((name) => ({ name, images: 0 }));
  for (const [i, index] of good.entries()) {
    const label = listing.labels[index]!;
    labels[i] = label;
    counts[label]!.images++;
  }
  const listed = new Set(listing.labels);
  const empty = counts.find(({ images }, label) => images === 0 && listed.has(label)); // an official list may lack classes
  if (empty) {
    throw new WeirError(
      `class '${empty.name}' of '${given}' has no image that can be read${split === undefined ? '' : ` in split '${split}'`}`,
      'put images there, or remove the class',
    );
  }
  const bytes = Float64Array.from(of(stats.bytes));
  return {
    name: split === undefined ? given : `${given}/${split}`,
    size: good.length,
    sampleShape: [0, 0, 3],
    classes: listing.classes,
    labels,
    images: {
      kind: 'files',
      root,
      ...sharedPaths(good.map((index) => listing.paths[index]!)),
      bytes: shared(bytes),
      checksums: shared(Uint32Array.from(of(found.checksums))),
      shorter,
    },
    report: {
      folder: given,
      layout: listing.layout,
      split,
      images: good.length,
      bytes: bytes.reduce((sum, size) => sum + size, 0),
      classes: counts,
      width: extremes(of(found.widths)),
      height: extremes(of(found.heights)),
      passedOver: [...(listing.passedOver ?? [])].map(([what, files]) => ({ what, files })),
      unreadable: found.unreadable.map(({ index, why }) => ({ path: shownName(listing.paths[index]!), why })),
    },
  };
}

const extremes = (values: readonly number[]): [number, number] => [
  values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY),
  values.reduce((most, value) => Math.max(most, value), 0),
];
