import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import type * as tfjs from '@tensorflow/tfjs-node-gpu';
import { WeirError } from '../flow/errors.js';
import { toError } from '../flow/terminal.js';
import { configProto, isLoopback, type Rendezvous, rendezvousOf, serverDef } from './collectives/rendezvous.js';
import { plainLines, SetUpFailure, type SetUpListener } from './install/progress.js';
import { cpuFeatures, thisPlatform } from './install/release.js';
import { addonFolder, type SetUp, setUp } from './install/setup.js';

export type TensorFlow = typeof tfjs;

/** Which runtime to load. */
export interface RuntimeChoice {
  /** `auto` takes the native one, with a GPU where a driver is present, and WebAssembly where set-up fails. */
  readonly runtime?: 'auto' | 'cpu' | 'gpu' | 'wasm';
  /** Receives the progress of set-up, where it has to be done; by default plain lines go to standard error. */
  readonly progress?: SetUpListener;
}

/** The runtime behind `tf`. */
export interface Runtime {
  readonly kind: 'native' | 'wasm';
  readonly device: 'CPU' | 'GPU';
  /** Version of the TensorFlow library, or of TensorFlow.js where WebAssembly takes its place. */
  readonly version: string;
  /** Threads inside one operation. */
  readonly threads: number;
  /** The reason for this runtime. */
  readonly why: string;
  /** The result of set-up, where it is the native one. */
  readonly setUp?: SetUp;
  /** The process group that it belongs to. */
  readonly rendezvous?: Rendezvous;
}

const names = ['auto', 'cpu', 'gpu', 'wasm'] as const;
const say = (line: string) => toError(`${line}\n`);

/** Finds, sets up and loads a runtime; `tf.ts` keeps it. */
export async function openRuntime(choice: RuntimeChoice): Promise<[TensorFlow, Runtime]> {
  const runtime = choice.runtime ?? fromEnvironment();
  const rendezvous = rendezvousOf(process.env);
  if (runtime === 'wasm' && rendezvous === undefined) return openWasm('asked for by name');
  if (runtime === 'wasm') throw wasmAlone();
  try {
    return await openNative(runtime, choice.progress ?? plainLines(say), rendezvous);
  } catch (error) {
    if (runtime !== 'auto' || rendezvous !== undefined || !(error instanceof SetUpFailure)) throw error;
    say(`weir: TensorFlow runs on WebAssembly, slower and without convolutions: ${error.message}; ${error.remedy}`);
    return openWasm(error.message);
  }
}

async function openNative(
  runtime: 'auto' | 'cpu' | 'gpu',
  progress: SetUpListener,
  rendezvous: Rendezvous | undefined,
): Promise<[TensorFlow, Runtime]> {
  if (process.arch === 'x64' && process.platform === 'linux' && !cpuFeatures().includes('avx')) {
    throw new SetUpFailure('TensorFlow needs a processor with AVX', 'use another machine, or WEIR_RUNTIME=wasm');
  }
  const done = await setUp({ runtime, progress });
  const threads = setEnvironment(runtime, done.kind);
  const library = rendezvous === undefined ? loadAddon(done.addon) : loadJoined(done.addon, rendezvous);
  const { binding } = library.backend() as unknown as { binding: { TF_Version: string; isUsingGpuDevice(): boolean } };
  const device = binding.isUsingGpuDevice() ? 'GPU' : 'CPU';
  if (runtime === 'gpu' && device === 'CPU') {
    throw new WeirError(
      'a GPU was asked for, but TensorFlow finds none on this machine',
      'see that `nvidia-smi` lists it and that CUDA_VISIBLE_DEVICES does not hide it; TF_CPP_MIN_LOG_LEVEL=0 makes TensorFlow say more',
    );
  }
  const unused = done.kind === 'gpu' && device === 'CPU' ? ', but TensorFlow finds no GPU that it can use' : '';
  return [
    library,
    {
      kind: 'native',
      device,
      version: binding.TF_Version,
      threads,
      why: `${done.why}${unused}`,
      setUp: done,
      ...(rendezvous && { rendezvous }),
    },
  ];
}

async function openWasm(why: string): Promise<[TensorFlow, Runtime]> {
  const require = createRequire(`${addonFolder()}/package.json`);
  const library = require('@tensorflow/tfjs') as TensorFlow;
  createRequire(import.meta.url)('@tensorflow/tfjs-backend-wasm');
  if (!(await library.setBackend('wasm'))) {
    throw new WeirError('no TensorFlow runtime loads: WebAssembly does not start either', 'run `npm ci` again');
  }
  return [library, { kind: 'wasm', device: 'CPU', version: library.version['tfjs-core'], threads: 1, why }];
}

/**
 * Sets the environment variables that TensorFlow reads at its start, except those of the user. Returns the number of threads.
 *
 * On a GPU kernels are deterministic unless WEIR_DETERMINISTIC=0, and float32 is not cut to TF32 unless WEIR_TF32=1.
 */
function setEnvironment(runtime: 'auto' | 'cpu' | 'gpu', kind: SetUp['kind']): number {
  const { env } = process;
  // Errors only; with CUDA not even those: it logs some at every start that are none. Real errors are thrown.
  env.TF_CPP_MIN_LOG_LEVEL ??= kind === 'cpu' ? '2' : '3';
  // TensorFlow leaves oneDNN off on processors without AVX-512, where its products are a third faster than Eigen's all the same.
  env.TF_ENABLE_ONEDNN_OPTS ??= '1';
  // WEIR_THREADS before TensorFlow's variable: a child process inherits the latter from a parent that set it here.
  env.TF_NUM_INTRAOP_THREADS = env.WEIR_THREADS || env.TF_NUM_INTRAOP_THREADS || String(availableParallelism());
  const threads = Number(env.TF_NUM_INTRAOP_THREADS);
  if (!Number.isInteger(threads) || threads < 1) {
    throw new WeirError(
      `WEIR_THREADS (or TF_NUM_INTRAOP_THREADS) is '${env.TF_NUM_INTRAOP_THREADS}'`,
      'give a whole number of threads, 1 or more',
    );
  }
  if (runtime === 'cpu') env.CUDA_VISIBLE_DEVICES = '-1'; // hides GPUs from a library that could use them
  if (kind === 'gpu' || (kind === 'named' && thisPlatform().driver !== undefined)) {
    env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true'; // so that two processes can share a GPU
    if (env.WEIR_DETERMINISTIC) env.TF_DETERMINISTIC_OPS = env.TF_CUDNN_DETERMINISTIC = env.WEIR_DETERMINISTIC;
    env.TF_DETERMINISTIC_OPS ??= '1';
    env.TF_CUDNN_DETERMINISTIC ??= '1';
    if (env.WEIR_TF32 === '1') delete env.NVIDIA_TF32_OVERRIDE;
    else env.NVIDIA_TF32_OVERRIDE ??= '0';
  }
  return threads;
}

/** Loads it as one rank of a process group, see install/binding.cc. */
function loadJoined(addon: string, rendezvous: Rendezvous): TensorFlow {
  const { env } = process;
  const hex = (message: Uint8Array): string => Buffer.from(message).toString('hex');
  env.WEIR_CONTEXT_CONFIG = hex(configProto());
  env.WEIR_CONTEXT_SERVER = hex(serverDef(rendezvous));
  const onLoopback = rendezvous.addresses.every(isLoopback);
  if (onLoopback) env.WEIR_CONTEXT_LOOPBACK = '1';
  try {
    const loaded = loadAddon(addon);
    if (onLoopback && !env.WEIR_CONTEXT_ALONE) say(`rank ${rendezvous.rank}: ${OPEN}`);
    return loaded;
  } catch (error) {
    if (!env.WEIR_CONTEXT_ERROR) throw error;
    throw new WeirError(
      `rank ${rendezvous.rank} cannot listen at ${rendezvous.addresses[rendezvous.rank]} for the other ranks: ${env.WEIR_CONTEXT_ERROR}`,
      'check that the port is free and that the host name is this machine’s',
      { cause: error },
    );
  } finally {
    for (const name of ['CONFIG', 'SERVER', 'LOOPBACK', 'ALONE', 'ERROR']) delete env[`WEIR_CONTEXT_${name}`]; // not for the processes that this one starts
  }
}

/** The notice where the server cannot be limited to this machine. */
const OPEN =
  'on this system TensorFlow’s server of a rank listens on every interface: any host that reaches its port reads and writes files as you';

const wasmAlone = (): WeirError =>
  new WeirError(
    'WebAssembly cannot communicate with other ranks',
    'leave out --ranks, or run `weir doctor` for the native runtime',
  );

/** Loads the npm package with the functions that it expects of Node, and without the deprecation warnings of its dependencies. */
function loadAddon(addon: string): TensorFlow {
  const require = createRequire(import.meta.url);
  const util = require('node:util') as Record<string, unknown>;
  util.isNullOrUndefined = (value: unknown) => value === null || value === undefined; // removed in Node 23, warns in 22
  util.isArray = Array.isArray; // warns in 22 too
  const { noDeprecation, sourceMapsEnabled } = process;
  process.noDeprecation = true;
  process.setSourceMapsEnabled(false); // Node would parse megabytes of the package's source maps
  try {
    return require(addon) as TensorFlow;
  } catch (error) {
    throw new SetUpFailure(
      `TensorFlow does not load: ${(error as Error).message.split('\n')[0]}`,
      'run `weir setup`, then `weir doctor`; deleting the cache folder (WEIR_CACHE, else ~/.cache/weir) makes it anew',
      { cause: error },
    );
  } finally {
    process.setSourceMapsEnabled(sourceMapsEnabled);
    if (noDeprecation === undefined) delete (process as { noDeprecation?: boolean }).noDeprecation;
    else process.noDeprecation = noDeprecation;
  }
}

function fromEnvironment(): 'auto' | 'cpu' | 'gpu' | 'wasm' {
  const value = process.env.WEIR_RUNTIME || 'auto';
  const name = names.find((name) => name === value);
  if (name === undefined) throw new WeirError(`WEIR_RUNTIME is '${value}'`, `set it to one of ${names.join(', ')}`);
  return name;
}
