import { readFileSync, realpathSync, statSync } from 'node:fs';
import { sha256Of } from '../../storage/core-bytes.js';
import type { RunFolder } from '../../storage/folder.js';

/**
 * Runs without those that are there twice, and of each of these a sentence: a folder that was named twice, or a copy of one, holds no
 * second training, and counted as one it would make every mean look surer than it is.
 */
export function onceEach(given: readonly RunFolder[]): {
  readonly folders: readonly RunFolder[];
  readonly again: string[];
} {
  const folders: RunFolder[] = [];
  const again: string[] = [];
  for (const folder of given) {
    const known = folders.find((one) => sameRun(one, folder));
    if (known === undefined) folders.push(folder);
    else if (realpathSync(known.path) === realpathSync(folder.path))
      again.push(`${folder.shown} was named twice; it counts once.`);
    else again.push(`${folder.shown} is a copy of ${known.shown} and is left out.`);
  }
  return { folders, again };
}

/** Its start and its metric log tell a run from all others: both hold times. */
function sameRun(a: RunFolder, b: RunFolder): boolean {
  if (realpathSync(a.path) === realpathSync(b.path)) return true;
  if (JSON.stringify(a.started) !== JSON.stringify(b.started)) return false;
  const [one, other] = [logSize(a), logSize(b)];
  return one > 0 && one === other && digest(a) === digest(b);
}

const logSize = ({ log }: RunFolder): number => statSync(log, { throwIfNoEntry: false })?.size ?? 0;

const digest = ({ log }: RunFolder): string => sha256Of(readFileSync(log));
