import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import mnist from '../../pipelines/mnist.js';
import { loadPipeline } from '../../src/run/load-module.js';
import { describeConfig, resolveConfig } from '../../src/run/run-config.js';
import { RunFolder } from '../../src/storage/folder.js';

const folder = mkdtempSync(join(tmpdir(), 'weir-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const resolve = (...settings: string[]) => resolveConfig(mnist.config, mnist.profiles, settings);

test("defaults are the paper's, a profile changes some, and what is set has the last word", () => {
  expect(resolve()).toMatchObject({
    profile: 'paper',
    hidden: 2000,
    epochs: 200,
    batchSize: 1024,
    rate: 0.1,
    gamma: 1e-3,
  });
  expect(resolve('profile=quick').epochs).toBeLessThan(200);
  expect(resolve('epochs=7', 'profile=quick', 'regularizers=none,rep-spectral')).toMatchObject({
    profile: 'quick',
    epochs: 7,
    regularizers: ['none', 'rep-spectral'],
  });
  expect(resolve('regularizers=none').regularizers).toEqual(['none']);
});

test.each([
  ['gama=1', "there is no key 'gama'", "did you mean 'gamma'?"],
  ['profile=quik', "there is no profile 'quik'", "did you mean 'quick'?"],
  ['epochs=many', '--set epochs=many', 'its default is 200'],
  ['epochs=1.5', '--set epochs=1.5', 'epochs'],
  ['gamma=-1', '--set gamma=-1', 'γ of equations 5 and 6'],
  ['regularizers=rep', '--set regularizers=rep', 'did you mean rep-spectral?'],
  ['epochs', '--set epochs is not of the form key=value', '--set epochs=VALUE'],
])('--set %s is refused by name, with what would be right', (setting, message, remedy) => {
  expect(() => resolve(setting)).toThrow(
    expect.objectContaining({ message: expect.stringContaining(message), remedy: expect.stringContaining(remedy) }),
  );
});

test('a folder is kept as an absolute path', () => {
  expect(resolve('data=some/where').data).toBe(join(process.cwd(), 'some/where'));
  expect(resolve('data=embedded').data).toBe('embedded');
});

test('the keys of a config can be listed', () => {
  expect(describeConfig(mnist.config)).toMatch(/gamma=0\.001 +γ of equations 5 and 6/);
});

test.each([
  ['missing.ts', undefined, 'there is no pipeline module'],
  ['throws.ts', "throw new Error('no such luck');\n", 'failed while loading: no such luck'],
  ['nothing.ts', 'export const pipeline = 1;\n', 'exports no pipeline'],
])('a module that is %s is refused', async (name, text, message) => {
  const file = join(folder, name);
  if (text !== undefined) writeFileSync(file, text);
  await expect(loadPipeline(file)).rejects.toThrow(message);
});

test('a run is not started in the folder of another, nor opened where there is none, nor of another format', () => {
  const run = { module: 'pipelines/mnist.ts', pipeline: 'mnist', seed: 0, config: resolve() };
  const path = join(folder, 'run');
  RunFolder.create(path, run);
  expect(RunFolder.open(path).started).toMatchObject({ pipeline: 'mnist', seed: 0 });
  expect(() => RunFolder.create(path, run)).toThrow(`there is a run in ${path} already`);
  expect(() => RunFolder.open(join(folder, 'none'))).toThrow('there is no run in');
  writeFileSync(join(path, 'config.json'), '{"format": 99, "weir": "9.0.0"}');
  expect(() => RunFolder.open(path)).toThrow('format 99');
  writeFileSync(join(path, 'config.json'), '{');
  expect(() => RunFolder.open(path)).toThrow('config.json is damaged');
  writeFileSync(join(folder, 'file'), '');
  expect(() => RunFolder.create(join(folder, 'file', 'run'), run)).toThrow('cannot write');
});
