import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { crc32 } from '../../../storage/crc32.js';
import { decode, measure } from '../../images/decode.js';
import { pathFor } from '../../images/file-name.js';
import { firstLine } from '../../images/reader.js';
import type { FileStats } from './stat.js';

/** What opening the files showed; 0 by 0 is one that cannot be read. */
export interface Inspection {
  readonly widths: Uint32Array;
  readonly heights: Uint32Array;
  readonly checksums: Uint32Array;
  readonly unreadable: readonly { readonly index: number; readonly why: string }[];
}

/**
 * Opens every file once: its checksum, its size in pixels, and whether it is an image: to its last row, or by its header alone.
 *
 * @param progress is told how many are done, now and then
 */
export async function inspect(
  root: string,
  paths: readonly string[],
  { bytes }: Pick<FileStats, 'bytes'>,
  how: 'decode' | 'header',
  progress: (done: number) => void,
): Promise<Inspection> {
  const widths = new Uint32Array(paths.length);
  const heights = new Uint32Array(paths.length);
  const checksums = new Uint32Array(paths.length);
  const unreadable: { index: number; why: string }[] = [];
  let next = 0;
  let done = 0;

  const look = async (index: number): Promise<void> => {
    try {
      if (bytes[index] === -2) throw new Error('it is no regular file');
      if (bytes[index]! < 0) throw new Error('it is not there');
      const content = await readFile(pathFor(join(root, paths[index]!)));
      if (content.length !== bytes[index]) throw new Error('it changed while it was read');
      const { width, height } = await (how === 'decode' ? decode : measure)(content);
      [widths[index], heights[index], checksums[index]] = [width, height, crc32(content)];
    } catch (cause) {
      unreadable.push({ index, why: firstLine(cause) });
    }
  };
  const lane = async (): Promise<void> => {
    while (next < paths.length) {
      await look(next++);
      if (++done % 10_000 === 0) progress(done);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() + 1 }, lane));
  unreadable.sort((a, b) => a.index - b.index);
  return { widths, heights, checksums, unreadable };
}
