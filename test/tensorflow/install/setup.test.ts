import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { SetUpProgress } from '../../../src/tensorflow/install/progress.js';
import { inspect, type SetUpOptions, setUp } from '../../../src/tensorflow/install/setup.js';
import { FakeMachine } from '../fixture/machine.js';

const platform = { os: 'linux', arch: 'x64', glibc: '2.36' };

let machine: FakeMachine;
beforeEach(() => {
  machine = new FakeMachine();
  for (const [key, value] of Object.entries(machine.env())) vi.stubEnv(key, value);
});
afterEach(() => {
  vi.unstubAllEnvs();
  machine.dispose();
});

const options = (more: SetUpOptions = {}): SetUpOptions => ({
  platform,
  addon: machine.addon,
  releases: machine.releases,
  ...more,
});
const stepsOf = async (more: SetUpOptions = {}) => {
  const steps: SetUpProgress['step'][] = [];
  await setUp(options({ progress: ({ step }) => steps.at(-1) !== step && steps.push(step), ...more }));
  return steps;
};
const failureOf = async (more: SetUpOptions = {}) => {
  const error = await setUp(options(more)).then(() => undefined, (error) => error); // biome-ignore format: one idea
  return `${error?.name}: ${error?.message}\n${error?.remedy}`.replaceAll(machine.root, '');
};

test('a first set-up does every step, a second one none, and a second checkout only links', async () => {
  expect(await stepsOf()).toEqual(['download', 'verify', 'unpack', 'compile', 'link', 'done']);
  expect(await stepsOf()).toEqual([]);
  expect(machine.leftovers()).toEqual([]);
  machine.remove('python3');
  machine.remove('c++');
  const addon = machine.checkout('clone');
  expect(await inspect(options({ addon }))).toMatchObject({ hasLibrary: true, hasBinding: true, isLinked: false });
  expect(await stepsOf({ addon })).toEqual(['link', 'done']);
  expect(readFileSync(join(addon, 'lib/napi-v8/tfjs_binding.node'), 'utf8')).toBe('compiled\n');
  expect(machine.calls().length).toBe(2);
});

test('only what is needed comes out of a wheel', async () => {
  const { library } = await setUp(options());
  const at = (path: string) => join(library, 'tensorflow', path);
  expect(readFileSync(at('libtensorflow.so'), 'utf8')).toBe('cc');
  expect(readlinkSync(at('libtensorflow_framework.so'))).toBe('libtensorflow_framework.so.2');
  expect(existsSync(at('include/tensorflow/c/eager/c_api.h'))).toBe(true);
  expect(existsSync(at('include/tensorflow/cc')) || existsSync(at('python'))).toBe(false);
});

test('the GPU library has its companions beside it, also when reached through the link', async () => {
  const { library } = await setUp(options({ runtime: 'gpu' }));
  expect(library).toContain('tensorflow-9.9-gpu-x64');
  expect(readFileSync(join(library, 'nvidia/cublas/lib/libcublas.so.12'), 'utf8')).toBe('cublas');
  expect(existsSync(join(library, 'nvidia/cublas/__init__.py'))).toBe(false);
  // As the system's loader does it, which joins strings and does not shorten `lib/..`.
  expect(readFileSync(`${machine.addon}/deps/lib/../nvidia/cublas/lib/libcublas.so.12`, 'utf8')).toBe('cublas');
});

test('where the GPU library cannot be set up, the one without CUDA takes its place', async () => {
  const { cpu } = machine.releases.x64;
  const gpu = { version: '9.9', wheels: [{ ...cpu.wheels[0]!, unpacked: 1e18 }] };
  const withGpu = { releases: { x64: { cpu, gpu } }, platform: { ...platform, driver: '/proc/driver/nvidia/version' } };
  expect(await stepsOf(withGpu)).toContain('instead');
  const { kind, why } = await setUp(options(withGpu));
  expect(kind).toBe('cpu');
  expect(why).toContain('the library with CUDA cannot be set up: set-up needs 1000000000.0 GB of disk');
});

test('what was built by other means is replaced', async () => {
  mkdirSync(join(machine.addon, 'deps/lib'), { recursive: true });
  writeFileSync(join(machine.addon, 'deps/lib/libtensorflow.so.2'), 'old');
  await setUp(options());
  expect(lstatSync(join(machine.addon, 'deps/lib')).isSymbolicLink()).toBe(true);
});

test('a library that lost a byte, or whose pin changed, is fetched again', async () => {
  const { library } = await setUp(options());
  writeFileSync(join(library, 'tensorflow/libtensorflow_cc.so.2'), 'c');
  expect(await stepsOf()).toContain('download');
  expect(await stepsOf()).toEqual([]);
});

test.each<[string, (m: FakeMachine) => SetUpOptions | undefined, string]>([
  [
    'no pip',
    (m) => void m.remove('python3'),
    `SetUpFailure: there is no pip (python3 -m pip, pip3 and pip were tried), which downloads TensorFlow
install it (Debian and Ubuntu: apt install python3-pip), or name a folder that has libtensorflow with WEIR_LIBTENSORFLOW`,
  ],
  [
    'no network',
    (m) =>
      void m.pip(
        'echo "WARNING: Retrying (Retry(total=1)) after NewConnectionError" >&2; echo "ERROR: No matching distribution found for x" >&2; exit 1',
      ),
    `SetUpFailure: pip could not download tensorflow-cpu==9.9: ERROR: No matching distribution found for x
the package index was not reached: check the network and the proxy, index and certificates in \`pip config list\``,
  ],
  [
    'pip that fails otherwise',
    (m) => void m.pip('echo "ERROR: broken" >&2; exit 2'),
    `SetUpFailure: pip could not download tensorflow-cpu==9.9: ERROR: broken
try \`pip download --no-deps tensorflow-cpu==9.9\` by hand, or name a folder that has libtensorflow with WEIR_LIBTENSORFLOW`,
  ],
  [
    'no compiler',
    (m) => void m.remove('c++'),
    `SetUpFailure: there is no C++ compiler (c++, g++, clang++ were tried)
install one (Debian and Ubuntu: apt install g++), or name it with CXX: TensorFlow.js is compiled against the library once`,
  ],
  [
    'a compiler that CXX misnames',
    () => void vi.stubEnv('CXX', 'nocc -m64'),
    `SetUpFailure: the C++ compiler that CXX names (nocc -m64) does not run
install one (Debian and Ubuntu: apt install g++), or name it with CXX: TensorFlow.js is compiled against the library once`,
  ],
  [
    'a compiler that fails',
    (m) => void m.compiler('echo "x.cc:1: error: no C++17" >&2; exit 1'),
    `SetUpFailure: c++ could not compile TensorFlow.js's binding: x.cc:1: error: no C++17
a compiler with C++17 and its standard library is needed (GCC 9 or Clang 10, or newer); name another with CXX`,
  ],
  [
    'a disk that fills up',
    (m) => void m.pip('echo "ERROR: [Errno 28] No space left on device" >&2; exit 1'),
    `SetUpFailure: set-up ran out of disk under /cache
free some space, or name a folder on another disk with WEIR_CACHE; a step that was not finished starts over`,
  ],
  [
    'a disk too small',
    (m) => ({
      releases: { x64: { cpu: { version: '9.9', wheels: [{ ...m.releases.x64.cpu.wheels[0]!, unpacked: 1e18 }] } } },
    }),
    'SetUpFailure: set-up needs 1000000000.0 GB of disk under /cache, where',
  ],
  [
    'another wheel than the pinned one',
    (m) => void m.pip('mkdir -p "$dest"; echo altered > "$dest/x.whl"'),
    `SetUpFailure: the wheel of tensorflow-cpu==9.9 that pip fetched is not the pinned one: its SHA-256 is `,
  ],
  [
    'no wheels for the platform',
    () => ({ platform: { os: 'darwin', arch: 'arm64' } }),
    `SetUpFailure: there is no TensorFlow library without CUDA to download for darwin on arm64
name a folder that has libtensorflow with WEIR_LIBTENSORFLOW, or use WEIR_RUNTIME=wasm`,
  ],
  [
    'another C library',
    () => ({ platform: { os: 'linux', arch: 'x64' } }),
    'SetUpFailure: there is no TensorFlow library without CUDA to download for linux without glibc on x64',
  ],
  [
    'a cache that is a file',
    (m) => void vi.stubEnv('WEIR_CACHE', join(m.log, 'cache')),
    'SetUpFailure: cannot lock the cache folder /log/cache: a part of the path is a file (ENOTDIR)',
  ],
  [
    'a named library that is none',
    (m) => void vi.stubEnv('WEIR_LIBTENSORFLOW', m.path),
    'SetUpFailure: WEIR_LIBTENSORFLOW names /bin, where there is no libtensorflow_cc.so.2 (or libtensorflow.so) with its libtensorflow_framework',
  ],
])('%s is said, with the mend, and leaves nothing behind', async (_, spoil, wanted) => {
  // biome-ignore format: a table
  const failure = await failureOf(spoil(machine));
  expect(failure.slice(0, wanted.length)).toBe(wanted);
  if (existsSync(machine.cache)) expect(machine.leftovers()).toEqual([]);
});

test('a library that is already there is linked, and nothing is downloaded', async () => {
  const { library } = await setUp(options());
  vi.stubEnv('WEIR_LIBTENSORFLOW', join(library, 'tensorflow'));
  machine.remove('python3');
  const named = await setUp(options());
  expect(named.kind).toBe('named');
  expect(readFileSync(join(machine.addon, 'deps/lib/libtensorflow.so'), 'utf8')).toBe('cc');
  expect(await stepsOf()).toEqual([]);
});

const script = fileURLToPath(new URL('../fixture/setup.ts', import.meta.url));
function start(): { child: ChildProcess; steps: string[] } {
  const given = JSON.stringify(options());
  const child = spawn(process.execPath, ['--import', 'tsx', script, given], { stdio: ['ignore', 'pipe', 'inherit'] });
  const steps: string[] = [];
  child.stdout!.setEncoding('utf8').on('data', (text: string) => steps.push(...text.trim().split('\n')));
  return { child, steps };
}

test('of two processes at once one does the work and the other waits for it', async () => {
  machine.pip(`sleep 1; mkdir -p "$dest"; cp "${machine.root}/index/\${package%%==*}.whl" "$dest/"`);
  const both = [start(), start()];
  const codes = await Promise.all(both.map(async ({ child }) => (await once(child, 'close'))[0]));
  expect(codes).toEqual([0, 0]);
  expect(machine.calls().filter((call) => call.startsWith('pip')).length).toBe(1);
  expect(machine.calls().filter((call) => call.startsWith('c++')).length).toBe(1);
  expect(machine.leftovers()).toEqual([]);
});

test('killed half-way, the next set-up takes the lock over and starts over', async () => {
  const works = `mkdir -p "$dest"; cp "${machine.root}/index/\${package%%==*}.whl" "$dest/"`;
  machine.pip(`${works}; sleep 3`);
  const { child } = start();
  await vi.waitFor(() => expect(machine.calls().length).toBe(1), 20_000);
  child.kill('SIGKILL');
  await once(child, 'close');
  expect(machine.leftovers().length).toBe(2);
  machine.pip(works);
  expect(await stepsOf()).toEqual(['download', 'verify', 'unpack', 'compile', 'link', 'done']);
  expect(machine.leftovers()).toEqual([]);
});
