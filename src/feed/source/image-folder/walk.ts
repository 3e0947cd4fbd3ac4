import { type Dirent, readdirSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { WeirError } from '../../../core/errors.js';
import { byName } from './listing.js';

/**
 * What lies in a folder below `root`, hidden names left out, in the order of their names.
 *
 * @throws {WeirError} for a link that leads out of `root`, or nowhere
 */
export function entries(root: string, below: string): { readonly folders: string[]; readonly files: string[] } {
  const folders: string[] = [];
  const files: string[] = [];
  const path = join(root, below);
  let found: Dirent[];
  try {
    found = readdirSync(path, { withFileTypes: true });
  } catch (cause) {
    throw new WeirError(`'${path}' cannot be read: ${(cause as Error).message}`, 'check that it exists and is yours', {
      cause,
    });
  }
  for (const entry of found) {
    if (entry.name.startsWith('.')) continue;
    const isFolder = entry.isSymbolicLink() ? linked(root, join(path, entry.name)) : entry.isDirectory();
    (isFolder ? folders : files).push(entry.name);
  }
  return { folders: folders.sort(byName), files: files.sort(byName) };
}

/** Whether a link leads to a folder. */
function linked(root: string, path: string): boolean {
  let target: string;
  try {
    target = realpathSync(path);
  } catch (cause) {
    throw new WeirError(`the link '${path}' leads nowhere`, 'take it away, or mend it', { cause });
  }
  checkInside(root, path, target);
  return statSync(target).isDirectory();
}

/** Refuses a path whose target is not below `root` (itself without links). */
export function checkInside(root: string, path: string, target: string): void {
  if (target.startsWith(root.endsWith(sep) ? root : root + sep)) return;
  throw new WeirError(
    `'${path}' leads out of the folder, to '${target}'`,
    'put the file itself there, or give the folder that holds all of them',
  );
}
