import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { inspect } from '../../src/tensorflow/install/setup.js';
import { loadTensorFlow, tf } from '../../src/tensorflow/tf.js';
import { FakeMachine } from './fixture/machine.js';

const run = promisify(execFile);
const script = fileURLToPath(new URL('./fixture/load.ts', import.meta.url));
const load = async (env: Record<string, string>, node = process.execPath) => {
  const { stdout, stderr } = await run(node, ['--import', 'tsx', script], { env: { ...process.env, ...env } });
  return { ...JSON.parse(stdout), said: stderr };
};
const product = [19, 22, 43, 50];
const isReady = await inspect().then(
  (state) => state.isLinked,
  () => false,
);

test('TensorFlow refuses to be used before it is loaded', () => {
  expect(() => tf.zeros([1])).toThrow('TensorFlow was used (tf.zeros) before it was loaded');
});

test('WebAssembly can be asked for, and says nothing', async () => {
  expect(await load({ WEIR_RUNTIME: 'wasm' })).toEqual({
    kind: 'wasm',
    threads: 1,
    why: 'asked for by name',
    product,
    said: '',
  });
});

test('without a compiler WebAssembly takes the place of the native runtime, said in one line with the mend', async () => {
  const machine = new FakeMachine();
  machine.remove('c++');
  const { kind, said } = await load({ ...machine.env(), WEIR_RUNTIME: 'auto' });
  machine.dispose();
  expect(kind).toBe('wasm');
  expect(said).toBe(
    'weir: TensorFlow runs on WebAssembly, slower and without convolutions: there is no C++ compiler ' +
      '(c++, g++, clang++ were tried); install one (Debian and Ubuntu: apt install g++), or name it with CXX: ' +
      'TensorFlow.js is compiled against the library once\n',
  );
});

test('asked for by name, the native runtime has no stand-in', async () => {
  const machine = new FakeMachine();
  machine.remove('c++');
  const failure = await load({ ...machine.env(), WEIR_RUNTIME: 'cpu' }).catch((error: Error) => error.message);
  machine.dispose();
  expect(failure).toContain('SetUpFailure: there is no C++ compiler');
});

test.each([
  [{ WEIR_RUNTIME: 'tpu' }, "WeirError: WEIR_RUNTIME is 'tpu'"],
  [{ WEIR_RUNTIME: 'cpu', WEIR_THREADS: 'two' }, "WEIR_THREADS (or TF_NUM_INTRAOP_THREADS) is 'two'"],
])('%o is refused', async (env, wanted) => {
  if (!isReady && 'WEIR_THREADS' in env) return;
  expect(await load(env).catch((error: Error) => error.message)).toContain(wanted);
});

describe.skipIf(!isReady)('the native runtime', () => {
  test('is loaded once: a later call gets the same one, and one that asks for another is refused', async () => {
    const first = await loadTensorFlow({ runtime: 'cpu' });
    expect(await loadTensorFlow()).toBe(first);
    await expect(loadTensorFlow({ runtime: 'wasm' })).rejects.toThrow(
      "the runtime 'wasm' was asked for, but native TensorFlow on the CPU is loaded in this process already",
    );
  });

  test('runs with the threads asked for, and says nothing', async () => {
    expect(await load({ WEIR_RUNTIME: 'cpu', WEIR_THREADS: '1' })).toMatchObject({
      kind: 'native',
      threads: 1,
      product,
      said: '',
    });
  });

  test('runs on Node 24, which lacks what TensorFlow.js asks of Node, and says nothing', async ({ skip }) => {
    const folder = await mkdtemp(join(tmpdir(), 'weir-node-'));
    try {
      const name = `node-${process.platform}-${process.arch}`; // the program itself: the package `node` needs an install script
      const install = ['install', '--prefix', folder, '--no-save', '--ignore-scripts', '--no-audit', '--no-fund'];
      await run('npm', [...install, '--prefer-offline', `${name}@24`]).catch(() => skip(`${name}@24 cannot be had`));
      const node = join(folder, 'node_modules', name, 'bin', 'node');
      expect(await load({ WEIR_RUNTIME: 'cpu' }, node)).toMatchObject({ kind: 'native', product, said: '' });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
