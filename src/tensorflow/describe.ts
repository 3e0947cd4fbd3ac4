import { statfs } from 'node:fs/promises';
import { arch, cpus, platform, release } from 'node:os';
import { WeirError } from '../flow/errors.js';
import { cacheFolder } from '../storage/compiled-cache.js';
import { type Check, check } from './check.js';
import { loadTensorFlow, tf } from './device-tf.js';
import { findCompiler } from './install/compiler.js';
import { usefulFeatures } from './install/cpu.js';
import { findPip } from './install/pip.js';
import { thisPlatform } from './install/setup-platform.js';
import { inspect } from './install/setup-setup.js';
import { checkOperations } from './operations.js';
import type { Runtime } from './runtime.js';

/** What `weir doctor` prints. Plain data. */
export interface Description {
  /** The runtime in use; undefined where none loads, which a check then says. */
  readonly runtime?: Omit<Runtime, 'setUp'>;
  readonly versions: { readonly node: string; readonly tensorflowJs?: string; readonly tensorflow?: string };
  readonly machine: { readonly system: string; readonly processor: string; readonly cores: number };
  /** Those features of the processor that TensorFlow makes use of. */
  readonly features: readonly string[];
  readonly checks: readonly Check[];
}

/**
 * Looks at everything that decides which runtime this machine gets, loads it (setting it up where that was not done), and
 * runs each native operation on a small input.
 */
export async function describe(): Promise<Description> {
  const checks = await checkSetUp();
  const versions: { node: string; tensorflowJs?: string; tensorflow?: string } = { node: process.versions.node };
  let runtime: Omit<Runtime, 'setUp'> | undefined;
  const load = await check('runtime', async () => {
    const { setUp: _, ...loaded } = await loadTensorFlow();
    runtime = loaded;
    versions.tensorflowJs = tf.version['tfjs-core'];
    if (loaded.kind === 'native') versions.tensorflow = loaded.version;
    return `${loaded.kind} ${loaded.version} on the ${loaded.device}, ${loaded.threads} threads (${loaded.why})`;
  });
  checks.push(load);
  if (runtime?.device === 'GPU') checks.push(...gpuOptions());
  if (load.ok) checks.push(...checkOperations());
  return {
    ...(runtime && { runtime }),
    versions,
    machine: {
      system: `${platform()} ${release()} ${arch()}`,
      processor: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
    },
    features: usefulFeatures(),
    checks,
  };
}

/** What set-up needs and what it has made so far. */
async function checkSetUp(): Promise<Check[]> {
  const cache = cacheFolder();
  const state = inspect();
  state.catch(() => {}); // told by the checks below
  const found = (there: boolean, where: string) =>
    there ? where : 'not yet: the first command that needs it makes it';
  return Promise.all([
    check('Node.js', async () => {
      if (Number(process.versions.node.split('../learn/device')[0]) < 20)
        throw new WeirError(process.versions.node, 'use Node.js 20 or newer');
      return process.versions.node;
    }),
    check('C library', async () => {
      const { glibc, os } = thisPlatform();
      if (glibc) return `glibc ${glibc}`;
      throw new WeirError(
        `${os} without glibc`,
        'TensorFlow has wheels for Linux with glibc only: the runtime is WebAssembly',
      );
    }),
    check('NVIDIA driver', async () => thisPlatform().driver ?? 'none'),
    check('pip', async () => (await findPip()).version),
    check('C++ compiler', async () => (await findCompiler()).version),
    check('cache folder', async () => `${cache}, ${await freeSpace(cache)}`),
    check('library', async () => {
      const { hasLibrary, library, why } = await state;
      return `${found(hasLibrary, library)} (${why})`;
    }),
    check('binding', async () => found((await state).hasBinding, (await state).binding)),
    check('link', async () => found((await state).isLinked, (await state).addon)),
  ]);
}

function gpuOptions(): Check[] {
  const { TF_DETERMINISTIC_OPS, NVIDIA_TF32_OVERRIDE } = process.env;
  const deterministic = TF_DETERMINISTIC_OPS === '1' || TF_DETERMINISTIC_OPS === 'true';
  return [
    { name: 'deterministic kernels', ok: true, found: deterministic ? 'yes' : 'no (WEIR_DETERMINISTIC=0)' },
    { name: 'TF32', ok: true, found: NVIDIA_TF32_OVERRIDE === '0' ? 'off' : 'on (WEIR_TF32=1)' },
  ];
}

async function freeSpace(cache: string): Promise<string> {
  const { bavail, bsize } = await statfs(cache).catch(() => statfs('/'));
  return `${((bavail * bsize) / 1e9).toFixed(1)} GB free`;
}
