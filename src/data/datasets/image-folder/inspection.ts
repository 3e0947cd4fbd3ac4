import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Data } from '../../../flow/data.js';
import { pack, unpack } from '../../../storage/codec.js';
import { crc32, sha256Bytes } from '../../../storage/digest.js';
import { writeAtomically } from '../../../storage/disk.js';
import { cacheFolder, makeFolder } from '../../../surroundings/folders.js';
import { decode, measure } from '../../images/decoder.js';
import { bytesOf, firstLine, pathFor } from '../../images/reader.js';
import type { FileStats } from './layouts.js';

/** Sizes and checksums of files; a file that cannot be read has size 0 by 0. */
export interface Inspection {
  readonly widths: Uint32Array;
  readonly heights: Uint32Array;
  readonly checksums: Uint32Array;
  readonly unreadable: readonly { readonly index: number; readonly why: string }[];
}

/**
 * Opens every file once, for its checksum and its size in pixels, and verifies that it is an image: to its last row, or by its header alone.
 *
 * @param progress is called with the number of files done, every 10,000 of them
 */
export async function inspect(
  root: string,
  paths: readonly string[],
  { bytes }: Pick<FileStats, 'bytes'>,
  verify: 'decode' | 'header',
  progress: (done: number) => void,
): Promise<Inspection> {
  const widths = new Uint32Array(paths.length);
  const heights = new Uint32Array(paths.length);
  const checksums = new Uint32Array(paths.length);
  const unreadable: { index: number; why: string }[] = [];
  let next = 0;
  let done = 0;

  const inspectFile = async (index: number): Promise<void> => {
    try {
      if (bytes[index] === -2) throw new Error('it is not a regular file');
      if (bytes[index]! < 0) throw new Error('it does not exist');
      const content = await readFile(pathFor(join(root, paths[index]!)));
      if (content.length !== bytes[index]) throw new Error('it changed while it was read');
      const { width, height } = await (verify === 'decode' ? decode : measure)(content);
      [widths[index], heights[index], checksums[index]] = [width, height, crc32(content)];
    } catch (cause) {
      unreadable.push({ index, why: firstLine(cause) });
    }
  };
  const inspectNext = async (): Promise<void> => {
    while (next < paths.length) {
      await inspectFile(next++);
      if (++done % 10_000 === 0) progress(done);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() + 1 }, inspectNext));
  unreadable.sort((a, b) => a.index - b.index);
  return { widths, heights, checksums, unreadable };
}

const MAGIC = 'weirfol2';
const HEADER = MAGIC.length + 32; // the magic, then the SHA-256 of the rest

interface InspectedFolder {
  readonly root: string;
  readonly split: string | undefined;
  readonly paths: readonly string[];
  readonly stats: FileStats;
  /** How closely files are verified. */
  readonly verify: 'decode' | 'header';
}

/** The inspection of readable files, each with a mark by which the file is found again. */
type CachedInspection = Pick<Inspection, 'widths' | 'heights' | 'checksums'> & { readonly marks: BigUint64Array };

/**
 * Opens the files of a folder, each once: Weir's cache stores the results, and a file is opened again only where its size, its times
 * (of its contents and of its entry) or its inode have changed. With WEIR_READ_ALL every file is opened.
 *
 * @param progress is called with the number of files done, and of all to open
 */
export async function inspectCached(
  { root, split, paths, stats, verify }: InspectedFolder,
  progress: (done: number, of: number) => void,
): Promise<Inspection> {
  const file = join(
    cacheFolder(),
    'image-folders',
    `${sha256Bytes(`${MAGIC}\n${verify}\n${root}\n${split ?? ''}`).toString('hex', 0, 16)}.bin`,
  );
  const marks = marksOf(paths, stats);
  const cached = process.env.WEIR_READ_ALL ? undefined : read(file);
  const cachedIndices = new Map(cached && Array.from(cached.marks, (mark, index) => [mark, index]));
  const open = Array.from(paths.keys()).filter((i) => !cachedIndices.has(marks[i]!));
  const left = { bytes: stats.bytes.filter((_, i) => !cachedIndices.has(marks[i]!)) };
  const openPaths = open.map((i) => paths[i]!);
  const fresh = await inspect(root, openPaths, left, verify, (done) => progress(done, open.length));
  const found = {
    widths: new Uint32Array(paths.length),
    heights: new Uint32Array(paths.length),
    checksums: new Uint32Array(paths.length),
  };
  const take = (i: number, from: CachedInspection | Inspection, index: number): void => {
    for (const key of ['widths', 'heights', 'checksums'] as const) found[key][i] = from[key][index]!;
  };
  for (let i = 0, next = 0; i < paths.length; i++) {
    const index = cachedIndices.get(marks[i]!);
    if (index === undefined) take(i, fresh, next++);
    else take(i, cached!, index);
  }
  const unreadable = fresh.unreadable.map(({ index, why }) => ({ index: open[index]!, why }));
  if (open.length > unreadable.length || cached?.marks.length !== paths.length - unreadable.length) {
    write(file, readable({ ...found, marks }, new Set(unreadable.map(({ index }) => index))));
  }
  return { ...found, unreadable };
}

/** 64 bits of each file's path, size, times and inode: equal for a file that has not changed. */
function marksOf(paths: readonly string[], { bytes, marks }: FileStats): BigUint64Array {
  return BigUint64Array.from(paths, (path, i) =>
    sha256Bytes(bytesOf(path), `\0${bytes[i]}\0${marks[i]}`).readBigUInt64LE(),
  );
}

/** Without unreadable files, which may be readable next time. */
function readable(all: CachedInspection, unreadable: ReadonlySet<number>): CachedInspection {
  if (unreadable.size === 0) return all;
  const good = (_: unknown, i: number): boolean => !unreadable.has(i);
  const { widths, heights, checksums, marks } = all;
  return {
    widths: widths.filter(good),
    heights: heights.filter(good),
    checksums: checksums.filter(good),
    marks: marks.filter(good),
  };
}

/** The cached inspection; undefined where it is missing, cut short or altered. */
function read(file: string): CachedInspection | undefined {
  try {
    const bytes = readFileSync(file);
    const body = bytes.subarray(HEADER);
    if (bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) return undefined;
    if (!sha256Bytes(body).equals(bytes.subarray(MAGIC.length, HEADER))) return undefined;
    return unpack(body) as unknown as CachedInspection;
  } catch {
    return undefined;
  }
}

/** A cache that cannot be written costs the next start the same again, no more. */
function write(file: string, inspection: CachedInspection): void {
  const body = pack({ ...inspection } as unknown as Data);
  try {
    makeFolder(join(cacheFolder(), 'image-folders'));
    writeAtomically(file, [Buffer.from(MAGIC), sha256Bytes(body), body]);
  } catch {
    // said above
  }
}
