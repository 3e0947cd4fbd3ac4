import type { Hash } from 'node:crypto';
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** How far a metric log was when something was made of it, and what it was up to there. */
export type LogMark = {
  readonly bytes: number;
  /** SHA-256 of so many bytes, in hexadecimal; none where nobody knows it. */
  readonly sha256?: string;
};

const chunkBytes = 2 ** 20;

/** Feeds the first bytes of an open file to a hash. @returns how many there were */
export function digestOfFile(handle: number, bytes: number, hash: Hash): number {
  const chunk = Buffer.alloc(Math.min(chunkBytes, bytes));
  let at = 0;
  while (at < bytes) {
    const got = readSync(handle, chunk, 0, Math.min(chunk.length, bytes - at), at);
    if (got === 0) break;
    hash.update(chunk.subarray(0, got));
    at += got;
  }
  return at;
}

/**
 * How a metric log differs from what is known of it, as the end of a sentence; undefined where it does not.
 *
 * @param whole whether it was finished then, and so must hold nothing more
 */
export function differenceFrom({ bytes, sha256 }: LogMark, file: string, whole: boolean): string | undefined {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return bytes === 0 ? undefined : `is gone: it had ${bytes} bytes`;
  }
  try {
    const { size } = fstatSync(handle);
    if (size < bytes) return `was cut: it has ${size} of ${bytes} bytes`;
    if (whole && size > bytes) return `has ${size - bytes} bytes more than the run wrote`;
    if (sha256 === undefined) return undefined;
    const hash = createHash('sha256');
    digestOfFile(handle, bytes, hash);
    return hash.digest('hex') === sha256
      ? undefined
      : `is altered: its first ${bytes} bytes are not those that were written`;
  } finally {
    closeSync(handle);
  }
}
