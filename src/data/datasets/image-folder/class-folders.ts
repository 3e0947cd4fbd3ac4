import { extname } from 'node:path';
import { WeirError } from '../../../flow/errors.js';
import { oneSpelling } from '../../../flow/header.js';
import { shownName } from '../../images/file-name.js';
import { byName, isImageName, isOtherImage, type Links, type Listing } from './image-folder-listing.js';
import { entries } from './walk.js';

const DEEPEST = 16;

/**
 * ImageNet's layout: SPLIT/CLASS/image, or CLASS/image where no split is asked for. What lies deeper in a class's folder is the class's too.
 *
 * @throws {WeirError} for a class without an image
 */
export function classFolders(root: string, split: string | undefined, links: Links): Listing {
  const top = split ?? './';
  const there = entries(root, './', links).folders;
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
  const classes = folders.sort((a, b) => byName(oneSpelling(a), oneSpelling(b)));
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
  for (const file of beside) if (isImageName(file)) pass('images in no class’s folder');
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
      other.length > 0 ? 'convert them to PNG' : 'put its images there, or take the empty folder away',
    );
  }
  return { layout: 'folders of classes', classes: classes.map(shownName), paths, labels, passedOver };
}

function* images(root: string, below: string, links: Links, passedOver: (file: string) => void): Generator<string> {
  if (below.split('/').length > DEEPEST) {
    throw new WeirError(
      `'${root}' goes deeper than ${DEEPEST} folders: '${shownName(below)}'`,
      'is there a link to a folder above?',
    );
  }
  const { folders, files } = entries(root, below, links);
  for (const file of files) {
    if (isImageName(file)) yield `${below}/${file}`;
    else passedOver(file);
  }
  for (const folder of folders) yield* images(root, `${below}/${folder}`, links, passedOver);
}
