import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { named } from '../storage/json-numbers.js';

const first = 2 ** 18; // bytes at the end of a metric log that are looked at: thousands of records
const most = 2 ** 26; // and no more than so many, where those hold too little: a few large pictures, say

/**
 * The records at the end of a metric log, oldest first: as many as it takes to have `enough`, or 64 MiB, however long it is.
 *
 * None where there is no log. A last line that is being written is left out, and so is one that is no record.
 */
export function lastRecords(
  file: string,
  enough: (records: readonly Record<string, unknown>[]) => boolean = ({ length }) => length > 0,
): Record<string, unknown>[] {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  try {
    const { size } = fstatSync(handle);
    for (let bytes = first; ; bytes *= 4) {
      const records = read(handle, size, Math.min(bytes, most));
      if (bytes >= size || bytes >= most || enough(records)) return records;
    }
  } finally {
    closeSync(handle);
  }
}

function read(handle: number, size: number, bytes: number): Record<string, unknown>[] {
  const buffer = Buffer.alloc(Math.min(size, bytes));
  const got = readSync(handle, buffer, 0, buffer.length, size - buffer.length);
  const lines = buffer.toString('utf8', 0, got).split('\n');
  if (size > bytes) lines.shift(); // it begins in the middle of a line
  lines.pop(); // empty, or being written
  return lines.flatMap((line) => {
    try {
      const record: unknown = JSON.parse(line, named);
      return typeof record === 'object' && record !== null ? [record as Record<string, unknown>] : [];
    } catch {
      return []; // a report names it; here it only tells how far a run is
    }
  });
}
