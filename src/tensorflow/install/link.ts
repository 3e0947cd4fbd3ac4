import { copyFile, lstat, mkdir, readFile, readlink, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { diskFull, isDiskFull, SetUpFailure } from './failure.js';

const library = join('deps', 'lib');
const binding = join('lib', 'napi-v8', 'tfjs_binding.node');

/** Do the npm package's links lead to this library and this binding already? */
export async function isLinked(addon: string, tensorflow: string, compiled: string): Promise<boolean> {
  try {
    if ((await readlink(join(addon, library))) !== tensorflow) return false;
    const [there, wanted] = await Promise.all([readFile(join(addon, binding)), readFile(compiled)]);
    return there.equals(wanted);
  } catch {
    return false;
  }
}

/**
 * Puts library and binding where the npm package looks for them: each made beside and renamed, so that a process which loads
 * them at this moment gets the old or the new.
 *
 * `deps/lib` is a link to the folder, not a folder of links: the library finds its companions at `$ORIGIN/../nvidia`, and the
 * system follows the link before it goes up.
 */
export async function link(addon: string, tensorflow: string, compiled: string): Promise<void> {
  try {
    await place(join(addon, library), (path) => symlink(tensorflow, path));
    await place(join(addon, binding), (path) => copyFile(compiled, path));
  } catch (error) {
    if (isDiskFull(error)) throw diskFull(addon, error);
    throw new SetUpFailure(
      `TensorFlow could not be linked into ${addon}: ${(error as Error).message}`,
      'make the folder writable, or run `weir setup` once as its owner',
      { cause: error },
    );
  }
}

async function place(path: string, make: (path: string) => Promise<void>): Promise<void> {
  const part = `${path}.${process.pid}.part`;
  await mkdir(dirname(path), { recursive: true });
  await rm(part, { recursive: true, force: true });
  await make(part);
  const there = await lstat(path).catch(() => undefined);
  if (there?.isDirectory()) {
    const old = `${path}.${process.pid}.old`;
    await rename(path, old);
    await rename(part, path);
    await rm(old, { recursive: true, force: true });
  } else {
    await rename(part, path);
  }
}
