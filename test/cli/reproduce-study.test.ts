import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, start, weir } from './weir.js';

const folder = mkdtempSync(join(tmpdir(), 'weir-study-'));
const into = join(folder, 'quick');
const short = ['--set', 'profile=quick', '--set', 'seeds=2', '--set', 'xor.iterations=1'];
const quick = ['reproduce', 'verdicts', ...short, '--set', 'xor.epochs=600', '--set', 'xor.burnIn=300'];
const verdicts = (at: string) => JSON.parse(readFileSync(join(at, 'verdicts.json'), 'utf8'));
const wordsIn = (at: string): Record<string, string> =>
  Object.fromEntries(verdicts(at).claims.map((one: { id: string; verdict: string }) => [one.id, one.verdict]));

let first: Awaited<ReturnType<typeof weir>>;
beforeAll(async () => {
  // Killed at its first snapshot, and begun again.
  const { child, ended } = start(...quick, '--run', into, '--snapshot-updates', '100');
  const snapshots = join(into, 'xor-clean', 'snapshots');
  while (!existsSync(snapshots) && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill('SIGKILL');
  await ended;
  first = await weir(...quick, '--run', into);
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true }));

test('a study that was killed goes on, and ends in a page with a verdict on each claim', () => {
  expect(first.status).toBe(0);
  expect(first.out).toContain(
    'A rehearsal: the settings of profile quick are not the paper’s, and its words are no verdicts.',
  );
  expect(first.out).toMatch(/✓ holds +lemma-1 +0 of \d+ images lack it, in 1 of 7 experiments/);
  expect(first.out).toMatch(/– not run +figure-6a +no data: give --set cifar10=FOLDER/);
  expect(first.out.trim().endsWith(into)).toBe(true);
  const page = readFileSync(join(into, 'verdicts.html'), 'utf8');
  expect(page).toContain('<h2 id="figure-2">');
  expect(page).toContain('≈ not told apart');
  expect(wordsIn(into)).toMatchObject({ 'figure-3a-rep': 'not told apart', 'figure-6a': 'not run' });
  expect(existsSync(join(into, 'results', 'xor-clean.weirresult'))).toBe(true);
});

test('recorded results are judged without a run, and those of other values are refused by name', async () => {
  const elsewhere = join(folder, 'elsewhere');
  const recorded = ['--results', join(into, 'results'), '--run', elsewhere, '--no-runs'];
  expect((await call(...quick, ...recorded)).status).toBe(0);
  expect(wordsIn(elsewhere)).toEqual(wordsIn(into));
  expect(verdicts(elsewhere).correction).toEqual(verdicts(into).correction);
  const other = await call('reproduce', 'verdicts', ...short, ...recorded);
  expect(other.status).toBe(1);
  expect(other.err).toContain('is of xor, clean, but of other values: epochs=600 and epochs=3000');
});

test('what a study has not is refused by name, with what there is', async () => {
  const odd = async (...args: string[]) =>
    (await call('reproduce', 'verdicts', '--no-runs', '--run', folder, ...args)).err;
  expect(await odd('--set', 'cifar=x')).toContain("nothing to set by 'cifar'");
  expect(await odd('--set', 'profile=quik')).toContain("has no profile 'quik'");
  expect(await odd('--set', 'cifar10=no-such-folder')).toContain('there is no such folder');
  expect(await odd('--set', 'seeds=0')).toContain('a whole number from 1 on');
  expect(await odd('--only', 'xor', 'nosuch')).toContain("has no experiment 'nosuch'");
  expect(await odd('--set', 'xor.epoch=3')).toContain("'epoch'");
  expect((await call('run', 'pipelines/verdicts.ts')).err).toContain('it exports a study');
  writeFileSync(join(folder, 'empty.ts'), 'export default 3;\n');
  expect((await call('reproduce', join(folder, 'empty.ts'))).err).toContain('exports no pipeline');
});

test('a result in the folder of the study counts as done without its run, and is not trained again', async () => {
  rmSync(join(into, 'xor-clean'), { recursive: true });
  const { status, out } = await call(...quick, '--run', into);
  expect(status).toBe(0);
  expect(out).toMatch(/results of 1 jobs in .*results count as done without their runs/);
  expect(existsSync(join(into, 'xor-clean'))).toBe(false);
  expect(wordsIn(into)).toMatchObject({ 'figure-3a-rep': 'not told apart' });
}, 120_000);

test('an experiment that cannot be run as asked is refused before anything is written, with why', async () => {
  const at = join(folder, 'none');
  const only = (...args: string[]) => call('reproduce', 'verdicts', '--run', at, '--only', ...args);
  const absent = await only('mnist', '--set', 'profile=quick');
  expect(absent.status).toBe(1);
  expect(absent.err).toContain("profile quick of study 'verdicts' has no experiment 'mnist'");
  expect(absent.err).toMatch(/it has xor/);
  const empty = mkdtempSync(join(folder, 'empty-'));
  const wrong = await only('mnist', '--set', `mnist=${empty}`);
  expect(wrong.status).toBe(1);
  expect(wrong.err).toContain("experiment 'mnist' cannot be run");
  expect(wrong.err).toContain(empty);
  expect(existsSync(at)).toBe(false);
}, 120_000);
