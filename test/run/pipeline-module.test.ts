import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadPipeline } from '../../src/run/pipeline-module.js';
import { moduleFiles } from '../../src/storage/module-files.js';
import { RunFolder } from '../../src/storage/run-folder.js';
import { start } from '../cli/weir.js';

const folder = mkdtempSync(join(tmpdir(), 'weir-module-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a file into the folder, which has no `node_modules`. @returns its path */
function written(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const remedy = (text: string) => expect.objectContaining({ remedy: expect.stringContaining(text) });

const uses: readonly [used: string, at: string, near: string][] = [
  ["import * as weir from 'weir-engine';\nexport const part = weir.draw;\n", '2:', "did you mean 'loader'?"],
  ["import * as w from 'weir-engine';\nexport const part = () => w.normalise;\n", '2:', "did you mean 'normalize'?"],
  ["import { mlpp } from 'weir-engine';\nexport const part = mlpp;\n", '1:', "did you mean 'mlp'?"],
  ["import { expectReply } from 'weir-engine/testing';\nexpectReply();\n", '1:', "did you mean 'expectReplay'?"],
  ["import * as weir from 'weir-engine';\nexport const part = weir.quaternion;\n", '2:', 'CHANGELOG.md'],
];

test.each(uses)('%j: a name that the package lacks is refused before anything runs', async (used, at, near) => {
  const name = `part${uses.findIndex(([text]) => text === used)}`;
  const part = written(`${name}.ts`, used);
  const module = written(`of-${name}.ts`, `export * from './${name}.js';\nthrow new Error('it ran');\n`);
  await expect(loadPipeline(module)).rejects.toThrow(`${part}:${at}`);
  await expect(loadPipeline(module)).rejects.toThrow('does not export');
  await expect(loadPipeline(module)).rejects.toThrow(remedy(near));
});

test('types are not asked for, and the files of the module are those of the user', async () => {
  written('types.ts', "import * as weir from 'weir-engine';\nexport type Part = weir.Stage<never, never, never>;\n");
  const module = written('typed.ts', "import type { Part } from './types.js';\nimport { map } from 'rxjs';\nmap;\n");
  await expect(loadPipeline(module)).rejects.toThrow('exports no pipeline');
  expect(Object.keys(await moduleFiles(module))).toEqual(['typed.ts']);
});

test('a module in a folder without node_modules gets the Weir and the RxJS that run it', async () => {
  const module = written(
    'alone.ts',
    `import { Observable } from 'rxjs';
import * as weir from 'weir-engine';
import { WeirError } from 'weir-engine/testing';

const count$ = weir.source({ name: 'count', *from() {} });
if (!(count$ instanceof Observable)) throw new WeirError('another copy of RxJS');
export default weir.pipeline({ name: 'alone', config: {}, wire: () => ({ items$: count$ }) });
`,
  );
  const { status, out, err } = await start('graph', module, '--text').ended;
  expect({ status, err }).toEqual({ status: 0, err: '' });
  expect(out).toMatch(/count +source .*→ items\$/);
});

test('a path that is no module is named for what it is, with the nearest module', async () => {
  await expect(loadPipeline('xor')).rejects.toThrow(remedy('did you mean pipelines/xor.ts?'));
  await expect(loadPipeline('pipelines/mnits.ts')).rejects.toThrow(remedy('did you mean pipelines/mnist.ts?'));
  await expect(loadPipeline('quaternion')).rejects.toThrow(remedy('such as pipelines/mnist.ts'));
  await expect(loadPipeline(folder)).rejects.toThrow(`${folder} is a folder, and no pipeline module`);
});

test('a path that is no run is named for what it is, with the way to the run', () => {
  const sweep = join(folder, 'sweep');
  const job = join(sweep, 'rate-1');
  RunFolder.create(job, { module: 'pipelines/xor.ts', pipeline: 'xor', seed: 0, config: {} });
  mkdirSync(join(folder, 'empty'));
  const cases: readonly [path: string, message: string, remedy: string][] = [
    [join(sweep, 'rate-2'), 'there is no run in', `did you mean ${job}?`],
    [join(folder, 'elsewhere'), 'there is no run in', 'there is no such folder'],
    [join(folder, 'empty'), 'there is no run in', 'start it again'],
    [sweep, `there is no run in ${sweep} itself, but 1 below it`, `such as ${job};`],
    [join(job, 'config.json'), 'is a file', `give the folder that it is in: ${job}`],
    [written('notes.txt', ''), 'is a file', 'give the folder of a run'],
  ];
  for (const [path, message, way] of cases) {
    expect(() => RunFolder.open(path)).toThrow(message);
    expect(() => RunFolder.open(path)).toThrow(remedy(way));
  }
});

test('status names a plain file as any command does', async () => {
  const { status, err } = await start('status', written('plain', '')).ended;
  expect(status).toBe(1);
  expect(err).toContain(`${join(folder, 'plain')} is a file, and no run's folder`);
});
