import { readdirSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, readlink, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256Of } from '../../storage/digest.js';
import { replaceAtomically } from '../../storage/disk.js';
import { runCommand } from './pip.js';
import { diskFull, isDiskFull, SetUpFailure } from './progress.js';

const require = createRequire(import.meta.url);
const pathOf = (name: string): string => fileURLToPath(new URL(`./${name}`, import.meta.url));
const kernelFiles = readdirSync(pathOf('../kernels'))
  .sort()
  .map((name) => pathOf(`../kernels/${name}`));
/** The C++ sources of our own that are compiled with the binding's; the head of each says its purpose. */
export const own = [pathOf('binding.cc'), ...kernelFiles.filter((file) => file.endsWith('.cc'))];
const ownHeaders = kernelFiles.filter((file) => file.endsWith('.h'));
const flags = ['-O2', '-std=c++17', '-shared', '-fPIC', '-DNAPI_VERSION=8'];
const wrapped = ['-Wl,--wrap=TFE_NewContext', '-Wl,--wrap=TFE_DeleteContext']; // by functions of binding.cc
const rpath = '-Wl,-rpath,$ORIGIN/../../deps/lib';

type Compiler = readonly [string, ...string[]];

/** Finds the C++ compiler: what CXX names (arguments allowed), else c++, g++ or clang++. */
export async function findCompiler(env = process.env): Promise<{ compiler: Compiler; version: string }> {
  const named = env.CXX?.trim().split(/\s+/) as [string, ...string[]] | undefined;
  const candidates: Compiler[] = named?.[0] ? [named] : [['c++'], ['g++'], ['clang++']];
  for (const compiler of candidates) {
    const outcome = await runCommand([...compiler, '--version']);
    if (outcome.status === 0) return { compiler, version: outcome.output.split('\n')[0]!.trim() };
  }
  const tried = candidates.map((compiler) => compiler[0]).join(', ');
  throw new SetUpFailure(
    named?.[0]
      ? `the C++ compiler that CXX names (${named.join(' ')}) does not run`
      : `there is no C++ compiler (${tried} were tried)`,
    'install one (Debian and Ubuntu: apt install g++), or name it with CXX: TensorFlow.js is compiled against the library once',
  );
}

/** A hash of everything that a compiled binding depends on: its sources and flags, the library, and the machine's C library. */
export async function bindingKey(addon: string, library: string, abi: string): Promise<string> {
  const files = [...(await sources(addon)), ...own, ...ownHeaders, ...(await headers(addon))];
  const contents = await Promise.all(files.map((file) => readFile(file)));
  return sha256Of([library, abi, ...flags, ...wrapped, rpath].join('\n'), ...contents).slice(0, 16);
}

/**
 * Compiles TensorFlow.js's binding, as its npm package has it, against the library in `tensorflow`.
 *
 * @param addon folder of the npm package
 * @param tensorflow folder with include/, libtensorflow.so and libtensorflow_framework.so
 * @param besides further sources
 */
export async function compile(
  compiler: Compiler,
  addon: string,
  tensorflow: string,
  output: string,
  besides: readonly string[] = own,
): Promise<void> {
  await mkdir(dirname(output), { recursive: true });
  const temporary = dirname(output); // the compiler's temporary files go to the disk whose space was checked
  const outcome = await runCommand(
    [
      ...compiler,
      ...flags,
      `-I${dirname(require.resolve('node-api-headers/include/node_api.h'))}`,
      `-I${join(tensorflow, 'include')}`,
      ...(await sources(addon)),
      ...besides,
      `-L${tensorflow}`,
      '-ltensorflow',
      '-ltensorflow_framework',
      rpath,
      ...wrapped,
      '-o',
      output,
    ],
    { env: { ...process.env, TMPDIR: temporary } },
  );
  if (outcome.status === 0) return;
  if (/No space left on device/.test(outcome.errors)) throw diskFull(temporary);
  const complaint =
    outcome.errors.split('\n').find((line) => /error|cannot|undefined/i.test(line)) ?? outcome.errors.trim();
  throw new SetUpFailure(
    `${compiler[0]} could not compile TensorFlow.js's binding: ${complaint}`,
    'a compiler with C++17 and its standard library is needed (GCC 9 or Clang 10, or newer); name another with CXX',
  );
}

const filesOf = async (addon: string, extension: string) =>
  (await readdir(join(addon, 'binding'))).filter((name) => name.endsWith(extension)).sort().map((name) => join(addon, 'binding', name)); // biome-ignore format: one idea

const sources = (addon: string) => filesOf(addon, '.cc');
const headers = (addon: string) => filesOf(addon, '.h');

const library = join('deps', 'lib');
const binding = join('lib', 'napi-v8', 'tfjs_binding.node');

/** Whether the npm package is linked to this library and this binding. */
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
 * Links library and binding into the npm package. Each is made under another name and renamed, so that a process that loads them
 * meanwhile gets the old or the new.
 *
 * `deps/lib` is a link to the folder, not a folder of links: the library finds its companions at `$ORIGIN/../nvidia`, and the
 * system follows the link before it goes up.
 */
export async function link(addon: string, tensorflow: string, compiled: string): Promise<void> {
  try {
    await replaceAtomically(join(addon, library), (path) => symlink(tensorflow, path));
    await replaceAtomically(join(addon, binding), (path) => copyFile(compiled, path));
  } catch (error) {
    if (isDiskFull(error)) throw diskFull(addon, error);
    throw new SetUpFailure(
      `TensorFlow could not be linked into ${addon}: ${(error as Error).message}`,
      'make the folder writable, or run `weir setup` once as its owner',
      { cause: error },
    );
  }
}
