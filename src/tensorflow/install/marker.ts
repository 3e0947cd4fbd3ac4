import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** Says what a folder of the cache holds. Written last, so a folder with a marker that agrees is whole. */
export interface Marker {
  readonly holds: string;
  /** SHA-256 of each wheel it came from. */
  readonly sources: Readonly<Record<string, string>>;
  /** Size in bytes of the files that matter, by path. */
  readonly files: Readonly<Record<string, number>>;
}

const name = 'weir.json';

/** Closes a finished folder: notes the sizes of `files` and makes everything durable before the rename that follows. */
export async function writeMarker(folder: string, marker: Omit<Marker, 'files'>, files: readonly string[]) {
  const sizes: Record<string, number> = {};
  for (const file of files) {
    const handle = await open(join(folder, file), 'r');
    await handle.sync();
    sizes[file] = (await handle.stat()).size;
    await handle.close();
  }
  const handle = await open(join(folder, name), 'w');
  await handle.writeFile(`${JSON.stringify({ ...marker, files: sizes }, null, 2)}\n`);
  await handle.sync();
  await handle.close();
}

/** The marker of a whole folder; undefined where it is missing, torn, or a file is not of the noted size. */
export async function readMarker(folder: string): Promise<Marker | undefined> {
  try {
    const marker = JSON.parse(await readFile(join(folder, name), 'utf8')) as Marker;
    for (const [file, size] of Object.entries(marker.files)) {
      if ((await stat(join(folder, file))).size !== size) return undefined;
    }
    return marker;
  } catch {
    return undefined;
  }
}

/** SHA-256 of a file, in hexadecimal. */
export async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
