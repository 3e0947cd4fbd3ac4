import { createWriteStream } from 'node:fs';
import { access, mkdir, open, readdir, readFile, rm, stat, statfs, symlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise } from 'yauzl';
import { sha256OfFile } from '../../storage/digest.js';
import { replaceAtomically } from '../../storage/disk.js';
import { download, findPip } from './pip.js';
import { diskFull, isDiskFull, SetUpFailure, type SetUpListener } from './progress.js';
import type { Release, Wheel } from './release.js';

/** The content of a folder of the cache. It is written last, so a folder whose files agree with it is whole. */
export interface Marker {
  readonly holds: string;
  /** SHA-256 of each wheel it is from. */
  readonly sources: Readonly<Record<string, string>>;
  /** Size in bytes of its libraries, by path. */
  readonly files: Readonly<Record<string, number>>;
}

const name = 'weir.json';

/** Finishes a folder: writes the sizes of `files`, and syncs everything to the disk before the rename that follows. */
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

/** The files of the wheels that the binding and the libraries need; the rest is Python. */
const needed = [
  /^tensorflow\/libtensorflow_(cc|framework)\.so\.2$/,
  /^tensorflow\/include\/(tensorflow\/c|tsl|xla|tensorflow\/core\/platform)\/.*\.(h|inc)$/,
  /^nvidia\/[^/]+\/(lib|bin|nvvm)\//,
];

/** Unpacks the files needed from a wheel into `folder`, streaming, one at a time. Returns the paths of the libraries. */
export async function unpack(
  wheel: string,
  folder: string,
  { requirement: what, unpacked: total }: Wheel,
  listen: SetUpListener,
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

/** The names that the linker asks for, and the names in the wheel. */
const linkNames = {
  'libtensorflow.so': 'libtensorflow_cc.so.2',
  'libtensorflow_framework.so': 'libtensorflow_framework.so.2',
};

/** Whether this release is unpacked at `folder`, whole and from the pinned wheels. */
export async function hasLibrary(folder: string, release: Release): Promise<boolean> {
  const marker = await readMarker(folder);
  return release.wheels.every(({ requirement, sha256 }) => marker?.sources[requirement] === sha256) && !!marker;
}

/**
 * Downloads, verifies and unpacks a release: `folder` then holds tensorflow/ and, for a GPU, nvidia/ beside it.
 *
 * It works in a second folder that is renamed last. Wheels go one at a time, so the disk never holds two.
 */
export async function fetchLibrary(
  folder: string,
  release: Release,
  arch: string,
  listen: SetUpListener,
): Promise<void> {
  const { pip } = await findPip();
  await checkSpace(dirname(folder), release);
  try {
    await replaceAtomically(folder, async (part) => {
      await mkdir(part);
      const libraries: string[] = [];
      for (const wheel of release.wheels) {
        const path = await download(pip, wheel, arch, part, listen);
        listen({ step: 'verify', what: wheel.requirement });
        await verify(path, wheel);
        libraries.push(...(await unpack(path, part, wheel, listen)));
        await rm(dirname(path), { recursive: true });
      }
      for (const [name, target] of Object.entries(linkNames)) await symlink(target, join(part, 'tensorflow', name));
      const sources = Object.fromEntries(release.wheels.map((wheel) => [wheel.requirement, wheel.sha256]));
      await writeMarker(part, { holds: `TensorFlow ${release.version}`, sources }, libraries);
    });
  } catch (error) {
    throw isDiskFull(error) ? diskFull(dirname(folder), error) : error;
  }
}

async function verify(path: string, { requirement, sha256 }: Wheel): Promise<void> {
  const found = await sha256OfFile(path);
  if (found === sha256) return;
  throw new SetUpFailure(
    `the wheel of ${requirement} that pip fetched is not the pinned one: its SHA-256 is ${found}, expected ${sha256}`,
    'see which index and find-links `pip config list` names; `pip cache remove tensorflow*` clears a damaged copy',
  );
}

/**
 * Links an installed libtensorflow into `folder` in the layout of an unpacked wheel.
 *
 * @param named the value of WEIR_LIBTENSORFLOW: Python's `tensorflow` folder, or one that holds lib/ and include/
 */
export async function linkNamedLibrary(folder: string, named: string): Promise<void> {
  const { libraries, include } = await layoutOf(named);
  const names = (await readdir(libraries)).filter((name) => /^libtensorflow\w*\.so[.\d]*$/.test(name));
  await replaceAtomically(folder, async (part) => {
    const tensorflow = join(part, 'tensorflow');
    await mkdir(tensorflow, { recursive: true });
    for (const name of names) await symlink(join(libraries, name), join(tensorflow, name));
    for (const stem of ['libtensorflow', 'libtensorflow_framework']) {
      if (names.includes(`${stem}.so`)) continue;
      const versioned = names.find((name) => name.startsWith(`${stem}.so.`) || name.startsWith(`${stem}_cc.so.`));
      await symlink(join(libraries, versioned!), join(tensorflow, `${stem}.so`));
    }
    await symlink(include, join(tensorflow, 'include'));
    await symlink(resolve(libraries, '..', 'nvidia'), join(part, 'nvidia')); // dangles without companions
    await writeMarker(part, { holds: `links to ${named}`, sources: {} }, [
      'tensorflow/libtensorflow.so', // another size there means another library
      'tensorflow/libtensorflow_framework.so',
    ]);
  });
}

async function layoutOf(named: string): Promise<{ libraries: string; include: string }> {
  const root = resolve(named);
  for (const [libraries, include] of [
    [root, join(root, 'include')],
    [join(root, 'lib'), join(root, 'include')],
    [join(root, 'tensorflow'), join(root, 'tensorflow', 'include')],
  ] as const) {
    // biome-ignore format: a table
    const names = await readdir(libraries).catch(() => []);
    const has = (pattern: RegExp) => names.some((name) => pattern.test(name));
    if (!has(/^libtensorflow(_cc)?\.so/) || !has(/^libtensorflow_framework\.so/)) continue;
    try {
      await access(join(include, 'tensorflow', 'c', 'eager', 'c_api.h'));
      return { libraries, include };
    } catch {
      throw new SetUpFailure(
        `WEIR_LIBTENSORFLOW names ${named}, which has the libraries but not include/tensorflow/c/eager/c_api.h`,
        'name the folder `tensorflow` of an installed Python package, or one that holds lib/ and include/',
      );
    }
  }
  throw new SetUpFailure(
    `WEIR_LIBTENSORFLOW names ${named}, where there is no libtensorflow_cc.so.2 (or libtensorflow.so) with its libtensorflow_framework`,
    'name the folder `tensorflow` of an installed Python package, or one that holds lib/ and include/; or unset it',
  );
}

/** Refuses to begin where the disk is too small. */
async function checkSpace(cache: string, { wheels }: Release): Promise<void> {
  const needed =
    wheels.reduce((sum, wheel) => sum + wheel.unpacked, 0) + Math.max(...wheels.map((wheel) => wheel.download));
  const { bavail, bsize } = await statfs(cache);
  if (bavail * bsize >= needed) return;
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  throw new SetUpFailure(
    `set-up needs ${gigabytes(needed)} of disk under ${cache}, where ${gigabytes(bavail * bsize)} are free`,
    'free some space, or name a folder on another disk with WEIR_CACHE',
  );
}
