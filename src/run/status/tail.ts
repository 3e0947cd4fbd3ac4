import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Bytes at the end of a metric log that are looked at: thousands of records. */
const most = 2 ** 18;

/** The records at the end of a metric log, oldest first: so many bytes of it, however long it is. None where there is no log. */
export function lastRecords(file: string): Record<string, unknown>[] {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  try {
    const { size } = fstatSync(handle);
    const bytes = Buffer.alloc(Math.min(size, most));
    const got = readSync(handle, bytes, 0, bytes.length, size - bytes.length);
    const lines = bytes.toString('utf8', 0, got).split('\n');
    if (size > most) lines.shift(); // it begins in the middle of a line
    lines.pop(); // empty, or being written
    return lines.flatMap((line) => {
      try {
        return [JSON.parse(line) as Record<string, unknown>];
      } catch {
        return []; // a report names it; here it only tells how far a run is
      }
    });
  } finally {
    closeSync(handle);
  }
}
