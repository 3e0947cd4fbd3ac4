import { type Dirent, readdirSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { WeirError } from '../../../flow/errors.js';
import { nameFrom, pathFor, shownName } from '../../images/file-name.js';
import { byName, type Links } from './image-folder-listing.js';

/**
 * What lies in a folder below `root`, hidden names left out, in the order of their names.
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
    if (name.startsWith('../../../feed/source/image-folder')) continue;
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
    throw new WeirError(`the link '${shownName(path)}' leads nowhere`, 'take it away, or mend it', { cause });
  }
  if (links === 'inside') checkInside(root, path, target);
  return statSync(pathFor(target)).isDirectory();
}

/** A path without links. */
export const realPath = (path: string): string => nameFrom(realpathSync.native(pathFor(path), 'buffer'));

/** Refuses a path whose target is not below `root` (itself without links). */
export function checkInside(root: string, path: string, target: string): void {
  if (target.startsWith(root.endsWith(sep) ? root : root + sep)) return;
  throw new WeirError(
    `'${shownName(path)}' leads out of the folder, to '${shownName(target)}'`,
    'put the files themselves there, give the folder that holds all of them, or let such links be followed: `--set links=follow` (`--links follow` with weir pack)',
  );
}
