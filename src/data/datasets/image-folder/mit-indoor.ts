import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { WeirError } from '../../../flow/errors.js';
import { oneSpelling } from '../../../flow/header.js';
import { content } from '../content.js';
import { byName, type Listing } from './image-folder-listing.js';

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

const classOf = (line: string): string => oneSpelling(line.slice(0, line.indexOf('/')));

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
