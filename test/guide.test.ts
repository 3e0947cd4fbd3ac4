import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, type Started, start } from './cli/weir.js';
import { type Snippet, snippetsOf } from './guide.js';

/**
 * The pages with snippets, as a reader would follow them: programs are written into a folder inside the checkout, then all is run in
 * the order of the pages. Some chapters have commands that take hours, or a cluster: these are left out by naming the others.
 */
const pages: readonly (readonly [page: string, ...chapters: string[]])[] = [
  ['README.md', 'A pipeline'],
  ['src/data/README.md', 'Your data'],
  ['src/monitor/README.md', 'Taps'],
  ['fixtures/README.md'],
  ['src/learn/README.md'],
  ['src/export/README.md'],
  ['src/learn/weights/README.md'],
];
const root = join(import.meta.dirname, '..');
const snippets = pages.flatMap(([page, ...chapters]) =>
  snippetsOf(readFileSync(join(root, page), 'utf8'), page, chapters),
);
const programs = snippets.filter(({ file }) => file !== '');
const commands = snippets.filter(({ language }) => language === 'sh');
/** Whether the Python that is named has all that a snippet imports. */
const runsPython = ({ text }: Snippet): boolean =>
  process.env.WEIR_PYTHON !== undefined &&
  imports(...[...text.matchAll(/^(?:import|from) (\w+)/gm)].map(([, module]) => module!));

let folder: string;
let long: Started | undefined;
beforeAll(() => {
  mkdirSync(join(root, 'runs'), { recursive: true });
  folder = mkdtempSync(join(root, 'runs/guide-'));
  mkdirSync(join(folder, 'fixtures'));
  // The checkout's own config says where the checkout's tests are; a cache here would look like a package of its own to npx.
  const config = { cacheDir: join(root, 'node_modules/.vite'), test: { include: ['test/**/*.test.ts'] } };
  const own = `import checkout from '${join(root, 'vitest.config.ts')}';\n`;
  const text = `export default { resolve: checkout.resolve, ...${JSON.stringify(config)} };\n`;
  writeFileSync(join(folder, 'vitest.config.ts'), own + text);
  for (const { file, text } of programs) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
});
afterAll(async () => {
  await endLong();
  rmSync(folder, { recursive: true });
});

function imports(...modules: string[]): boolean {
  try {
    execFileSync(process.env.WEIR_PYTHON!, ['-c', `import ${modules.join(', ')}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Ends the run that is under way, so that later commands have the processor for themselves. */
async function endLong(): Promise<void> {
  long?.child.kill('SIGKILL');
  await long?.ended;
}

const run = (file: string, ...args: string[]): Promise<{ readonly stdout: string }> =>
  promisify(execFile)(file, args, { cwd: folder, env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' } });

/** A run that is under way, for the commands that look at one. */
async function underWay(): Promise<void> {
  if (long !== undefined) return;
  long = start('run', join(folder, 'small.ts'), '--set', 'epochs=100000', '--run', join(folder, 'runs/long'));
  await Promise.race([long.said('training'), long.ended]);
  expect(long.child.exitCode).toBe(null);
}

test('its programs pass the type check of the project', async () => {
  const options = { extends: join(root, 'tsconfig.json'), include: ['**/*.ts'], exclude: ['vitest.config.ts'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(options));
  const checked = run(process.execPath, join(root, 'node_modules/typescript/bin/tsc'), '--noEmit', '-p', folder);
  expect(await checked.catch(({ stdout }) => ({ stdout }))).toMatchObject({ stdout: '' });
});

test('each of its programs is used by another snippet, or is run by itself', () => {
  for (const { file, language } of programs.filter(({ language }) => language === 'ts')) {
    const name = file.replace(/\.ts$/, '');
    const users = snippets.filter((one) => one.file !== file && one.text.includes(name));
    expect([language, file, users.length > 0]).toEqual([language, file, true]);
  }
});

/** For the shell: `npx weir`, which finds the checkout's command, without the second that npx takes to find it each time. */
const found = `npx() { if [ "$1" = weir ]; then shift; node '${join(root, 'src/weir.js')}' "$@"; else command npx "$@"; fi; }\n`;

const inOrder = snippets.filter(({ language }) => language !== 'ts');
const called = ({ page, text, file }: Snippet): string => `${page}: ${file || text.split('\n')[0]}`;

for (const snippet of inOrder.filter((one) => one.language === 'sh' || runsPython(one))) {
  test(called(snippet), async () => {
    if (snippet.text.includes('runs/long')) await underWay();
    else await endLong();
    if (snippet.language === 'sh') await run('bash', '-euo', 'pipefail', '-c', `${found}${snippet.text}`);
    else expect((await run(process.env.WEIR_PYTHON!, snippet.file)).stdout).toMatch(/^(tensor\(\d\)|\d)\n$/);
  });
}
for (const snippet of inOrder.filter((one) => one.language === 'python' && !runsPython(one))) {
  test.skip(`${called(snippet)} (WEIR_PYTHON with what it imports)`, () => undefined);
}

/** How well an example trains is of no interest here: those that take long get fewer updates, of smaller networks. */
const smaller: Readonly<Record<string, readonly string[]>> = {
  'lipschitz-network': ['epochs=1', 'hidden=16', 'attacked=2'],
  'own-attack': ['epochs=20'],
  'own-layer': ['epochs=1'],
  'own-loss': ['epochs=20'],
  'own-network': ['epochs=1', 'filters=2', 'attacked=1'],
  'own-regularizer': ['epochs=40'],
  'own-transformer': ['epochs=1', 'attacked=1'],
};

for (const file of readdirSync(join(root, 'pipelines/examples')).filter((name) => name.endsWith('.ts'))) {
  test(`pipelines/examples/${file} runs to its end, and each of its streams is in the log`, async () => {
    const name = file.replace(/\.ts$/, '');
    const [, returned] = /return \{ (\w+\$.*) \};\n/.exec(
      readFileSync(join(root, 'pipelines/examples', file), 'utf8'),
    )!;
    const set = (smaller[name] ?? []).flatMap((one) => ['--set', one]);
    const { status, err } = await call(
      'run',
      `pipelines/examples/${file}`,
      ...set,
      '--run',
      join(folder, 'runs', name),
    );
    expect([status, err]).toEqual([0, expect.any(String)]);
    const log = readFileSync(join(folder, 'runs', name, 'metrics.ndjson'), 'utf8')
      .trimEnd()
      .split('\n');
    const logged = new Set(log.map((line) => `${JSON.parse(line).stream}$`));
    expect(returned!.split(', ').filter((stream) => !logged.has(stream))).toEqual([]);
  });
}

test('links of all pages lead to files', () => {
  const markdown = execFileSync('git', ['ls-files', '*.md'], { cwd: root, encoding: 'utf8' }).trimEnd().split('\n');
  for (const page of markdown) {
    for (const [, link] of readFileSync(join(root, page), 'utf8').matchAll(/\]\((?!https?:)([^)#\s]+)/g)) {
      expect([page, link, existsSync(join(root, dirname(page), link!))]).toEqual([page, link, true]);
    }
  }
});

test('a measurement of the user’s own is drawn in the report by the words of its record', () => {
  const report = readFileSync(join(folder, 'runs/own-measurement/report/report.html'), 'utf8');
  expect(report).toContain('weights below 0.1');
});

test('a regularizer of the user’s own has its name in the report, its attack and its bounds', () => {
  const report = readFileSync(join(folder, 'runs/own-regularizer/report/report.html'), 'utf8');
  expect(report.match(/aria-label="[^"]*\borthogonal\b[^"]*"/g)!.length).toBeGreaterThan(3);
  const log = readFileSync(join(folder, 'runs/own-regularizer/metrics.ndjson'), 'utf8').trimEnd().split('\n');
  const attacked = log.map((line) => JSON.parse(line)).filter((one) => one.network === 'orthogonal' && one.lower > 0);
  expect(attacked).toHaveLength(10);
});

test('the files that they are said to leave are there', async () => {
  expect(commands.length).toBeGreaterThanOrEqual(4);
  const tests = readFileSync(join(folder, 'tests.csv'), 'utf8').trimEnd().split('\n');
  expect(tests[0]).toContain('accuracy');
  const taken = readFileSync(join(folder, 'batches.ndjson'), 'utf8').trimEnd().split('\n');
  expect(taken.map((line) => JSON.parse(line).item.values.base64.length > 1000)).toEqual([true, true]);
  const left = ['samples.weirrec', 'batches-of-100.weirrec', 'long.weirrec'].map((file) => `fixtures/${file}`);
  for (const file of [...left, 'metrics.parquet', 'board', 'small.safetensors'])
    expect([file, existsSync(join(folder, file))]).toEqual([file, true]);
  expect((await call('hash', join(folder, 'runs/small'))).status).toBe(0);
});
