import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { compile, findCompiler, link } from '../../../src/tensorflow/install/binding.js';

const root = mkdtempSync(join(tmpdir(), 'weir-runpath-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const compiler = await findCompiler().then((found) => found.compiler, () => undefined); // biome-ignore format: one line

/**
 * The layout of the GPU wheels with libraries of a few lines: the one that stands for TensorFlow has the run path of the real
 * one, links no companion and opens it by name, as the real one does.
 */
test.skipIf(!compiler)(
  'a binding finds the library, and the library its companion, with no environment variable',
  async () => {
    const [cxx, ...args] = compiler!;
    const build = (name: string, source: string, ...flags: string[]) => {
      const output = join(root, 'cache', name);
      mkdirSync(dirname(output), { recursive: true });
      writeFileSync(join(root, 'source.cc'), source);
      execFileSync(cxx, [...args, '-shared', '-fPIC', join(root, 'source.cc'), '-o', output, ...flags]);
      return output;
    };
    build('nvidia/cublas/lib/libweircublas.so.12', 'extern "C" int weir_answer() { return 42; }');
    const framework = build('tensorflow/libtensorflow_framework.so', 'int weir_unused;');
    build(
      'tensorflow/libtensorflow_cc.so.2',
      `#include <dlfcn.h>
     extern "C" int weir_ask() {
       void* library = dlopen("libweircublas.so.12", RTLD_NOW);
       return library ? ((int (*)())dlsym(library, "weir_answer"))() : -1;
     }`,
      '-Wl,-rpath,$ORIGIN/../nvidia/cublas/lib:$ORIGIN/',
      '-Wl,-soname,libtensorflow_cc.so.2',
      '-ldl',
    );
    const tensorflow = dirname(framework);
    execFileSync('ln', ['-s', 'libtensorflow_cc.so.2', join(tensorflow, 'libtensorflow.so')]);
    const addon = join(root, 'checkout');
    mkdirSync(join(addon, 'binding'), { recursive: true });
    writeFileSync(
      join(addon, 'binding', 'binding.cc'),
      `#include <node_api.h>
     extern "C" int weir_ask();
     static napi_value init(napi_env env, napi_value exports) {
       napi_value answer;
       napi_create_int32(env, weir_ask(), &answer);
       return answer;
     }
     NAPI_MODULE(weir, init)`,
    );
    const binding = join(root, 'cache', 'tfjs_binding.node');
    await compile(compiler!, addon, tensorflow, binding, []); // our own sources need the real library
    await link(addon, tensorflow, binding);

    const linked = join(addon, 'lib/napi-v8/tfjs_binding.node');
    const { LD_LIBRARY_PATH: _, ...env } = process.env;
    const asked = spawnSync(
      process.execPath,
      ['-e', `process.stdout.write(String(require(${JSON.stringify(linked)})))`],
      { env, encoding: 'utf8' },
    );
    expect(asked.stdout.trim() || asked.stderr).toBe('42');

    const read = spawnSync('readelf', ['-d', linked], { encoding: 'utf8' });
    if (read.status === 0) {
      expect(read.stdout).toMatch(/R(UN)?PATH.*\[\$ORIGIN\/\.\.\/\.\.\/deps\/lib\]/);
      expect(read.stdout).not.toContain('nvidia'); // so the same build loads where there is no GPU
    }
  },
);

test("the npm package's binding is compiled as it comes, and it is the version that this was tried with", () => {
  const addon = createRequire(import.meta.url).resolve('@tensorflow/tfjs-node-gpu/package.json');
  expect(JSON.parse(readFileSync(addon, 'utf8')).version).toBe('4.22.0');
});
