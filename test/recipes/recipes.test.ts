import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { apply, recipesOf } from './recipe.js';

/** The recipes of `.github/CONTRIBUTING.md`, done as they say in a copy of the checkout, and the files that each may take. */
const files = {
  'An augmentation operation': 3,
  'A regularizer': 3,
  'A data set': 3,
  'An attack': 4,
  'A figure': 3,
  'A command': 3,
};
const root = join(import.meta.dirname, '../..');
const recipes = recipesOf(readFileSync(join(root, '.github/CONTRIBUTING.md'), 'utf8'));
const parts = ['src', 'workers', 'pipelines', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
const settings = ['.ci/tsconfig.json', 'biome.json', '.gitignore', '.dependency-cruiser.cjs'];

let copy: string;
const touched = new Map<string, string[]>();
beforeAll(() => {
  copy = realpathSync(mkdtempSync(join(tmpdir(), 'weir-recipes-')));
  for (const part of [...parts, ...settings]) cpSync(join(root, part), join(copy, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  for (const recipe of recipes) touched.set(recipe.title, apply(recipe, copy));
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

const added = (): string[] => [...touched.values()].flat();

/** Runs a tool of the copy. @throws with all that it printed where it fails */
async function run(tool: string, ...args: string[]): Promise<void> {
  const bin = join(copy, 'node_modules', tool);
  await promisify(execFile)(process.execPath, [bin, ...args], {
    cwd: copy,
    env: { ...process.env, NO_COLOR: '1' },
  }).catch(({ stdout, stderr }) => {
    throw new Error(`${stdout}${stderr}`);
  });
}

test('there is a recipe for each, and it takes so many files, its test included', () => {
  expect(Object.fromEntries([...touched].map(([title, those]) => [title, those.length]))).toEqual(files);
});

test('their code is formatted and passes the linter', () =>
  run('@biomejs/biome/bin/biome', 'check', '--vcs-enabled=false', ...added()));

test('their code passes the type check', () => run('typescript/bin/tsc', '--noEmit'));

test('their code keeps to the dependency rules', () =>
  run('dependency-cruiser/bin/dependency-cruise.mjs', ...added().filter((file) => file.startsWith('src/'))));

/** Whether the tests of each file pass, with what failed: all in one process. */
async function outcomes(): Promise<Map<string, string>> {
  const report = join(copy, 'tests.json');
  const tests = [...added().filter((file) => file.endsWith('.test.ts')), exportsTest];
  const failed = await run('vitest/vitest.mjs', 'run', '--reporter=json', `--outputFile=${report}`, ...tests).catch(
    String,
  );
  if (!existsSync(report)) throw new Error(failed ?? 'vitest wrote no report');
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as {
    testResults: { name: string; status: string; message: string; assertionResults: { failureMessages: string[] }[] }[];
  };
  return new Map(
    testResults.map(({ name, status, message, assertionResults }) => [
      relative(copy, name),
      [status, message, ...assertionResults.flatMap(({ failureMessages }) => failureMessages)].join('\n').trim(),
    ]),
  );
}

const exportsTest = 'test/exports/exports.test.ts';
let tested: Promise<Map<string, string>> | undefined;
for (const { title } of recipes) {
  test(`${title}: its test passes`, async () => {
    tested ??= outcomes();
    const own = touched.get(title)!.filter((file) => file.endsWith('.test.ts'));
    expect(own.length).toBeGreaterThan(0);
    for (const file of own) expect([file, (await tested!).get(file)]).toEqual([file, 'passed']);
  });
}

test('what they export has types that can be imported, and examples that compile', async () => {
  tested ??= outcomes();
  expect((await tested).get(exportsTest)).toBe('passed');
});
