import { lstatSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkInside } from './walk.js';

/** What is known of the files without opening them. */
export interface FileStats {
  /** −1 for a file that is not there. */
  readonly bytes: Float64Array;
  readonly modified: Float64Array;
}

/**
 * Sizes and times of files below `root`.
 *
 * @throws {WeirError} for one that a link, or a '..' in a list, takes out of `root`
 */
export function statFiles(root: string, paths: readonly string[]): FileStats {
  const bytes = new Float64Array(paths.length);
  const modified = new Float64Array(paths.length);
  const inside = new Set<string>();
  for (const [i, path] of paths.entries()) {
    const file = join(root, path);
    let stats: Stats;
    try {
      const folder = dirname(file);
      if (!inside.has(folder)) {
        const target = realpathSync(folder);
        if (target !== root) checkInside(root, folder, target);
        inside.add(folder);
      }
      stats = lstatSync(file);
      if (stats.isSymbolicLink()) {
        checkInside(root, file, realpathSync(file));
        stats = statSync(file);
      }
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
      bytes[i] = -1;
      continue;
    }
    bytes[i] = stats.size;
    modified[i] = stats.mtimeMs;
  }
  return { bytes, modified };
}
