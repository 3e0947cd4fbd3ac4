import { statfs } from 'node:fs/promises';
import { arch, cpus, platform, release } from 'node:os';
import * as zlib from 'node:zlib';
import { WeirError } from '../flow/errors.js';
import { cacheFolder } from '../surroundings/folders.js';
import { findCompiler } from './install/binding.js';
import { findPip } from './install/pip.js';
import { thisPlatform, usefulFeatures } from './install/release.js';
import { inspect } from './install/setup.js';
import { attribute, cast, hasNative, lent, needsNative, run, statelessNormal, supportsBfloat16 } from './ops/eager.js';
import { relu, reluGrad } from './ops/fused.js';
import { batchMatMul, svd } from './ops/spectral.js';
import type { Runtime } from './runtime.js';
import { loadTensorFlow, tf } from './tf.js';

/** The result of one check of `weir doctor`. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly found: string;
  /** The remedy where it is not ok. */
  readonly remedy?: string;
}

/** Runs a check; an error makes it a failed one. */
export async function check(name: string, examine: () => Promise<string>): Promise<Check> {
  try {
    return { name, ok: true, found: await examine() };
  } catch (error) {
    const remedy = error instanceof WeirError ? error.remedy : undefined;
    return { name, ok: false, found: (error as Error).message, ...(remedy !== undefined && { remedy }) };
  }
}

/** Operations that TensorFlow.js lacks, on a tiny input with a known answer. */
const operations: Readonly<Record<string, () => { found: tf.Tensor; wanted: readonly number[] }>> = {
  Relu: () => ({ found: relu(tf.tensor1d([-1, 2])), wanted: [0, 2] }),
  ReluGrad: () => ({ found: reluGrad(tf.tensor1d([3, 3]), tf.tensor1d([-1, 2])), wanted: [0, 3] }),
  Svd: () => ({ found: svd(tf.tensor2d([[0, 3], [2, 0]])).s, wanted: [3, 2] }), // biome-ignore format: a matrix
  BatchMatMulV2: () => {
    needsNative('a product of complex matrices');
    const i = tf.complex(tf.zeros([1, 1]), tf.ones([1, 1]));
    return { found: tf.real(batchMatMul(i, i)), wanted: [-1] };
  },
  StatelessRandomNormal: () => {
    const noise = () => statelessNormal([4], [1, 2]);
    return { found: tf.sub(noise(), noise()), wanted: [0, 0, 0, 0] };
  },
};

/** Runs each of `operations`, and compares the result with the known one. */
function checkOperations(): Check[] {
  const checks = Object.entries(operations).map(([name, run]): Check => {
    try {
      let wanted: readonly number[] = [];
      const found = read(() => {
        const result = run();
        wanted = result.wanted;
        return result.found;
      });
      const ok = found.length === wanted.length && found.every((x, i) => Math.abs(x - wanted[i]!) < 1e-5);
      if (!ok)
        return { name, ok, found: `gave ${found}, expected ${wanted}`, remedy: 'report this, with the processor' };
      return { name, ok, found: hasNative() ? 'native' : 'portable fallback' };
    } catch (error) {
      const remedy = 'what needs it stops with a message; the native runtime has it';
      return { name, ok: false, found: (error as Error).message.split('\n')[0]!, remedy };
    }
  });
  return [...checks, bfloat16()];
}

function bfloat16(): Check {
  if (!hasNative()) return { name: 'bfloat16', ok: true, found: 'no: WebAssembly' };
  if (!supportsBfloat16())
    return { name: 'bfloat16', ok: true, found: 'no: this processor has no instructions for it' };
  const [value] = read(() => {
    const [a, b] = [2, 3].map((x) => cast(lent(tf.scalar(x)), 'float32', 'bfloat16'));
    const [product] = run('Mul', [attribute.type('T', 'bfloat16')], [a!, b!]);
    const result = cast(product, 'bfloat16', 'float32').toTensor();
    for (const raw of [a!, b!, product]) raw.dispose();
    return result;
  });
  if (value !== 6) return { name: 'bfloat16', ok: false, found: `2 · 3 gave ${value}`, remedy: 'leave bfloat16 off' };
  return { name: 'bfloat16', ok: true, found: 'native' };
}

function read(run: () => tf.Tensor): number[] {
  const result = tf.tidy(run);
  const values = Array.from(result.dataSync());
  result.dispose();
  return values;
}

/** The report of `weir doctor`, as plain data. */
export interface Description {
  /** The runtime in use; undefined where none loads, which a check reports. */
  readonly runtime?: Omit<Runtime, 'setUp'>;
  readonly versions: { readonly node: string; readonly tensorflowJs?: string; readonly tensorflow?: string };
  readonly machine: { readonly system: string; readonly processor: string; readonly cores: number };
  /** The features of the processor that TensorFlow uses. */
  readonly features: readonly string[];
  readonly checks: readonly Check[];
}

/**
 * Checks everything that decides the runtime of this machine, loads it (after set-up, where that was not done), and runs each native
 * operation on a small input.
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

/** The requirements of set-up and its results so far. */
async function checkSetUp(): Promise<Check[]> {
  const cache = cacheFolder();
  const state = inspect();
  state.catch(() => {}); // the checks below report it
  const found = (there: boolean, where: string) =>
    there ? where : 'not yet: the first command that needs it will set it up';
  return Promise.all([
    check('Node.js', async () => {
      if (!('crc32' in zlib)) throw new WeirError(process.versions.node, 'use Node.js 20.15, 22.2 or newer');
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
