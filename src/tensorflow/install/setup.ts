import { mkdir, readdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { sha256Of } from '../../storage/digest.js';
import { replaceAtomically } from '../../storage/disk.js';
import { lockWhenFree } from '../../storage/lock.js';
import { cacheFolder } from '../../surroundings/folders.js';
import { bindingKey, compile, findCompiler, isLinked, link } from './binding.js';
import { fetchLibrary, hasLibrary, linkNamedLibrary, readMarker, writeMarker } from './library.js';
import { diskFull, isDiskFull, SetUpFailure, type SetUpListener } from './progress.js';
import { chooseKind, type LibraryKind, type Platform, type Release, releases, thisPlatform } from './release.js';

/** Runs `work` under the lock of the cache. Another process waits for it, and a lock of a dead process counts no more. */
export async function exclusively<T>(cache: string, listen: SetUpListener, work: () => Promise<T>): Promise<T> {
  const lock = await lockWhenFree(cache, {
    kind: 'cache folder',
    stale: 60_000,
    waiting: () => listen({ step: 'wait', what: `another set-up (${cache})` }),
  }).catch(({ message }) => {
    throw new SetUpFailure(message, 'name a folder that can be written with WEIR_CACHE');
  });
  try {
    return await work();
  } finally {
    lock.release();
  }
}

export interface SetUpOptions {
  /** The library: the one for this machine, or one by name. */
  readonly runtime?: 'auto' | LibraryKind;
  readonly progress?: SetUpListener;
  /** The rest is for tests: another machine, other pins, another copy of the npm package. */
  readonly platform?: Platform;
  readonly releases?: Readonly<Record<string, Partial<Record<LibraryKind, Release>>>>;
  readonly addon?: string;
}

/** The result of set-up. */
export interface SetUp {
  /** `named`: the library that WEIR_LIBTENSORFLOW names. */
  readonly kind: LibraryKind | 'named';
  /** The reason for this kind. */
  readonly why: string;
  /** Folder that holds the library, in the cache. */
  readonly library: string;
  /** The compiled binding, in the cache. */
  readonly binding: string;
  /** Folder of the npm package, which now has both. */
  readonly addon: string;
}

/** The plan of a set-up, and which of its three parts are done. */
export interface SetUpState extends SetUp {
  readonly hasLibrary: boolean;
  readonly hasBinding: boolean;
  readonly isLinked: boolean;
}

/** Finds out what `setUp` would do, and changes nothing. */
export async function inspect(options: SetUpOptions = {}): Promise<SetUpState> {
  const plan = await planFor(options);
  return {
    ...plan.result,
    hasLibrary: await plan.source.isThere(),
    hasBinding: await plan.hasBinding(),
    isLinked: await plan.isLinked(),
  };
}

/**
 * Puts a native TensorFlow behind the npm package @tensorflow/tfjs-node-gpu: library and binding in a cache outside the
 * checkout, linked from node_modules. It does only the steps that are missing, and may run twice at once or be killed.
 *
 * Where the library with CUDA cannot be set up on a machine with a GPU (it takes five times the disk), the one without CUDA takes its
 * place.
 *
 * @throws {SetUpFailure} with the requirement that is missing and the remedy
 */
export async function setUp(options: SetUpOptions = {}): Promise<SetUp> {
  const { runtime = 'auto', platform = thisPlatform(), progress } = options;
  try {
    return await setUpOne({ ...options, runtime, platform });
  } catch (error) {
    const isGpu = runtime === 'auto' && !process.env.WEIR_LIBTENSORFLOW && chooseKind('auto', platform).kind === 'gpu';
    if (!isGpu || !(error instanceof SetUpFailure)) throw error;
    progress?.({ step: 'instead', what: `the library without CUDA, since ${error.message}; ${error.remedy}` });
    const done = await setUpOne({ ...options, platform, runtime: 'cpu' });
    return { ...done, why: `the library with CUDA cannot be set up: ${error.message}` };
  }
}

async function setUpOne(options: SetUpOptions): Promise<SetUp> {
  const progress = options.progress ?? (() => {});
  const { cache, source, tensorflow, result, ...is } = await planFor(options);
  const { addon, binding } = result;
  if ((await source.isThere()) && (await is.hasBinding()) && (await is.isLinked())) return result;

  await exclusively(cache, progress, async () => {
    await sweep(cache);
    const compiler = (await is.hasBinding()) ? undefined : await findCompiler(); // before the long download
    if (!(await source.isThere())) await source.get(progress);
    if (compiler) {
      progress({ step: 'compile', what: `TensorFlow.js's binding with ${compiler.version}` });
      await compileInto(dirname(binding), (output) => compile(compiler.compiler, addon, tensorflow, output));
    }
    if (!(await is.isLinked())) {
      progress({ step: 'link', what: `TensorFlow into ${addon}` });
      await link(addon, tensorflow, binding);
    }
    progress({ step: 'done', what: `native TensorFlow (${source.kind}: ${source.why})` });
  });
  return result;
}

async function planFor(options: SetUpOptions) {
  const { runtime = 'auto', platform = thisPlatform(), addon = addonFolder() } = options;
  const cache = cacheFolder();
  const source = chooseSource(runtime, platform, options.releases ?? releases, cache);
  const key = await bindingKey(addon, basename(source.folder), `${platform.arch}-glibc-${platform.glibc}`);
  const folder = join(cache, `binding-${key}`);
  const binding = join(folder, 'tfjs_binding.node');
  const tensorflow = join(source.folder, 'tensorflow');
  const result: SetUp = { kind: source.kind, why: source.why, library: source.folder, binding, addon };
  return {
    cache,
    source,
    tensorflow,
    result,
    hasBinding: async () => (await readMarker(folder)) !== undefined,
    isLinked: () => isLinked(addon, tensorflow, binding),
  };
}

/** The source of the library. */
interface Source {
  readonly kind: SetUp['kind'];
  readonly why: string;
  readonly folder: string;
  isThere(): Promise<boolean>;
  get(progress: SetUpListener): Promise<void>;
}

function chooseSource(
  runtime: 'auto' | LibraryKind,
  platform: Platform,
  pinned: NonNullable<SetUpOptions['releases']>,
  cache: string,
): Source {
  const named = process.env.WEIR_LIBTENSORFLOW;
  if (named) {
    const folder = join(cache, `named-${sha256Of(resolve(named)).slice(0, 16)}`);
    return {
      kind: 'named',
      why: `WEIR_LIBTENSORFLOW names ${named}`,
      folder,
      isThere: async () => (await readMarker(folder)) !== undefined,
      get: () => linkNamedLibrary(folder, named),
    };
  }
  const { kind, why } = chooseKind(runtime, platform);
  const { os, arch, glibc } = platform;
  const release = os === 'linux' && glibc !== undefined ? pinned[arch]?.[kind] : undefined;
  if (release === undefined) {
    const system = os === 'linux' && glibc === undefined ? 'linux without glibc' : os;
    throw new SetUpFailure(
      `there is no TensorFlow library with${kind === 'gpu' ? '' : 'out'} CUDA to download for ${system} on ${arch}`,
      'name a folder that has libtensorflow with WEIR_LIBTENSORFLOW, or use WEIR_RUNTIME=wasm',
    );
  }
  const folder = join(cache, `tensorflow-${release.version}-${kind}-${arch}`);
  return {
    kind,
    why,
    folder,
    isThere: () => hasLibrary(folder, release),
    get: (progress) => fetchLibrary(folder, release, arch, progress),
  };
}

async function compileInto(folder: string, work: (output: string) => Promise<void>): Promise<void> {
  try {
    await replaceAtomically(folder, async (part) => {
      await mkdir(part);
      await work(join(part, 'tfjs_binding.node'));
      await writeMarker(part, { holds: "TensorFlow.js's binding", sources: {} }, ['tfjs_binding.node']);
    });
  } catch (error) {
    throw isDiskFull(error) ? diskFull(dirname(folder), error) : error;
  }
}

/** Removes the unfinished folders of a set-up that was killed. The lock is held, so no other set-up is running. */
async function sweep(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (name.endsWith('.part')) await rm(join(cache, name), { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The folder of the npm package whose binding is built here. */
export function addonFolder(): string {
  return dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-node-gpu/package.json'));
}
