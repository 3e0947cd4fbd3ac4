import { type BigIntStats, type Dirent, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { WeirError } from '../../../flow/errors.js';
import { nameFrom, pathFor, shownName } from '../../images/locations.js';
import { GET_AGAIN } from '../content.js';

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
export const isImageName = (name: string): boolean => IMAGE.test(name) && !name.startsWith('.');

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
