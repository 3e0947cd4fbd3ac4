import { type BigIntStats, lstatSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkInside } from './walk.js';

/** What is known of the files without opening them. */
export interface FileStats {
  /** −1 for a file that is not there. */
  readonly bytes: Float64Array;
  /** Times of contents and of entry, in nanoseconds, and inode: other ones are of a file that was written or replaced. */
  readonly marks: readonly string[];
}

/**
 * Sizes and times of files below `root`.
 *
 * @throws {WeirError} for one that a link, or a '..' in a list, takes out of `root`
 */
export function statFiles(root: string, paths: readonly string[]): FileStats {
  const bytes = new Float64Array(paths.length);
  const marks = new Array<string>(paths.length).fill('');
  const inside = new Set<string>();
  for (const [i, path] of paths.entries()) {
    const file = join(root, path);
    let stats: BigIntStats;
    try {
      const folder = dirname(file);
      if (!inside.has(folder)) {
        const target = realpathSync(folder);
        if (target !== root) checkInside(root, folder, target);
        inside.add(folder);
      }
      stats = lstatSync(file, { bigint: true });
      if (stats.isSymbolicLink()) {
        checkInside(root, file, realpathSync(file));
        stats = statSync(file, { bigint: true });
      }
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
      bytes[i] = -1;
      continue;
    }
    bytes[i] = Number(stats.size);
    marks[i] = `${stats.mtimeNs} ${stats.ctimeNs} ${stats.ino}`;
  }
  return { bytes, marks };
}
