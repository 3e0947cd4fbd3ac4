import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise } from 'yauzl';
import { diskFull, isDiskFull, SetUpFailure } from './failure.js';
import type { Wheel } from './release.js';
import type { Listener } from './setup-progress.js';

/** What the binding and the libraries need out of the wheels; the rest is Python. */
const needed = [
  /^tensorflow\/libtensorflow_(cc|framework)\.so\.2$/,
  /^tensorflow\/include\/(tensorflow\/c|tsl|xla|tensorflow\/core\/platform)\/.*\.(h|inc)$/,
  /^nvidia\/[^/]+\/(lib|bin|nvvm)\//,
];

/** Unpacks what is needed of a wheel into `folder`, one file at a time and streaming; gives the libraries' paths. */
export async function unpack(
  wheel: string,
  folder: string,
  { requirement: what, unpacked: total }: Wheel,
  listen: Listener,
): Promise<string[]> {
  const libraries: string[] = [];
  try {
    const zip = await openPromise(wheel);
    let done = 0;
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.endsWith('/') || !needed.some((pattern) => pattern.test(entry.fileName))) continue;
      const path = join(folder, entry.fileName);
      await mkdir(dirname(path), { recursive: true });
      const executable = /\/bin\//.test(entry.fileName);
      await pipeline(
        await zip.openReadStreamPromise(entry),
        createWriteStream(path, { mode: executable ? 0o755 : 0o644 }),
      );
      done += entry.uncompressedSize;
      listen({ step: 'unpack', what, done: Math.min(done, total), total });
      if (/\.so[.\d]*$/.test(entry.fileName)) libraries.push(entry.fileName);
    }
  } catch (error) {
    if (isDiskFull(error)) throw diskFull(folder, error);
    throw new SetUpFailure(
      `the wheel of ${what} could not be unpacked: ${(error as Error).message}`,
      'run `weir setup` again, which downloads it anew',
      { cause: error },
    );
  }
  return libraries;
}
