import { type BigIntStats, lstatSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { WeirError } from '../../../flow/errors.js';
import { pathFor, shownName } from '../../images/file-name.js';
import { GET_AGAIN } from '../content.js';
import type { Links } from './image-folder-listing.js';
import { checkInside, realPath } from './walk.js';

/** What is known of the files without opening them. */
export interface FileStats {
  /** −1 for a file that is not there, −2 for what is no regular file: who reads a pipe or a device may wait for ever. */
  readonly bytes: Float64Array;
  /** Times of contents and of entry, in nanoseconds, and inode: other ones are of a file that was written or replaced. */
  readonly marks: readonly string[];
}

/**
 * Sizes and times of files below `root`.
 *
 * @throws {WeirError} for one that a '..' in a list takes out of `root`, or a link unless such links are followed
 */
export function statFiles(root: string, paths: readonly string[], links: Links): FileStats {
  const bytes = new Float64Array(paths.length);
  const marks = new Array<string>(paths.length).fill('');
  const inside = new Set<string>();
  for (const [i, path] of paths.entries()) {
    const file = join(root, path);
    if (links === 'follow' && path.split('/').includes('../../../feed/source')) {
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
