import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import xor from '../../pipelines/xor.js';
import type { Pipeline } from '../../src/run/pipeline.js';
import { keptRecords } from '../../src/storage/kept-arrays.js';
import { readMetrics } from '../../src/storage/metric-reader.js';
import { baselineNotes, withBaselines } from '../../src/sweep/baselines.js';
import { parseAxis, pointsOf } from '../../src/sweep/grid.js';
import { jobsOf } from '../../src/sweep/jobs.js';
import { folderOfJob, pointJobs, readPlan } from '../../src/sweep/plan.js';
import { call, hashOf, start } from '../cli/weir.js';
import { killedSweep } from './kills.js';
import regularized from './regularized.js';

const module = 'test/sweep/regularized.ts';
let base: string;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'weir-baselines-'));
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

const planned = (pipeline: Pipeline, axes: readonly string[], set: readonly string[] = []) =>
  withBaselines(pipeline, jobsOf({ module, pipeline, points: pointsOf(axes.map(parseAxis)), set }));

/** The SHA-256 of a whole run of these values, which trains all its networks itself. */
async function hashOfWhole(name: string, seed: number, ...set: string[]): Promise<string> {
  const run = join(base, name);
  await call('run', module, '--seed', String(seed), ...set.flatMap((one) => ['--set', one]), '--run', run);
  return hashOf(run);
}

test('jobs that differ in keys of the regularizer alone take the unregularized network from one job for each seed', () => {
  const jobs = planned(regularized as unknown as Pipeline, ['rate=0.1,0.2', 'gamma=0.1,0.2', 'burnIn=4,6', 'seed=0,1']);
  const trained = jobs.filter(({ trains }) => trains !== undefined);
  expect(trained.map(({ name }) => name)).toEqual([
    'unregularized-rate-0.1-seed-0',
    'unregularized-rate-0.1-seed-1',
    'unregularized-rate-0.2-seed-0',
    'unregularized-rate-0.2-seed-1',
  ]);
  expect(trained.map(({ trains }) => trains!.networks)).toEqual(Array.from({ length: 4 }, () => ({ none: [4, 6] })));
  expect(pointJobs(jobs).every(({ after, takes }) => after[0] === takes?.job && takes?.networks[0] === 'none')).toBe(
    true,
  );
  expect(pointJobs(jobs)).toHaveLength(16);
});

test('networks are trained whole where nothing is shared, and where they are one ensemble, which is said', () => {
  const whole = (pipeline: unknown, axes: readonly string[], set: readonly string[] = []) => {
    const jobs = planned(pipeline as Pipeline, axes, set);
    expect(jobs.filter(({ trains, takes }) => trains ?? takes)).toEqual([]);
    return baselineNotes(pipeline as Pipeline, jobs);
  };
  expect(whole(regularized, ['rate=0.1,0.2', 'seed=0,1'])).toEqual([]);
  expect(whole(regularized, ['gamma=0.1,0.2'], ['regularizers=rep-spectral'])).toEqual([]);
  expect(whole(xor, ['gamma=0.1,0.2'])).toEqual([
    'xor: its networks are trained together, so each job trains the unregularized ones again',
  ]);
});

test('a sweep that grows trains no network twice; each job has the bits and the report of one that trains all', async () => {
  const [folder, counted] = [join(base, 'grown'), join(base, 'counted')];
  const args = (axis: string) => ['sweep', module, '--grid', axis, '--set', 'gamma=0.1', '--run', folder];
  const grow = async (axis: string) => (await start({ TRAINED: counted }, ...args(axis)).ended).out;
  expect(await grow('burnIn=6,4')).toContain('3 of 3 done');
  const updates = (): Record<string, number> => {
    const count: Record<string, number> = {};
    for (const line of readFileSync(counted, 'utf8').trim().split('\n')) count[line] = (count[line] ?? 0) + 1;
    return count;
  };
  expect(updates()).toEqual({ 'none 0': 12, 'rep-spectral 0': 7 + 9 }); // a branch hands its first update on once more

  expect(await grow('burnIn=8,6,4')).toContain('4 of 4 done');
  expect(updates()).toEqual({ 'none 0': 12 + 8, 'rep-spectral 0': 7 + 9 + 5 }); // none: up to the new branch once more
  expect(await hashOf(join(folder, 'jobs/burnIn-8'))).toBe(await hashOfWhole('whole', 0, 'gamma=0.1', 'burnIn=8'));

  const kept = (run: string) => [...keptRecords(run, 'none')].map(({ wall: _, ...record }) => record);
  expect(kept(join(folder, 'jobs/burnIn-8'))).toEqual(kept(join(base, 'whole')));
  expect(kept(join(base, 'whole')).length).toBeGreaterThan(0);

  const { out } = await call('report', folder, '--json');
  const { title, networks, ranking, notes } = JSON.parse(out);
  expect(title).toBe('regularized: 4 networks, 1 of them shared by settings');
  const none = networks.filter(({ name }: { name: string }) => name === 'none');
  expect(none.map(({ setting }: { setting: string }) => setting).sort()).toEqual(['burnIn=4', 'burnIn=6', 'burnIn=8']);
  expect(none.map(({ trainedBy }: { trainedBy: string }) => trainedBy)).toEqual(
    Array(3).fill(join(folder, 'jobs/unregularized')),
  );
  const places = ranking.places.filter(({ regularizer }: { regularizer: string }) => regularizer === 'none');
  expect(places.map(({ setting }: { setting: object }) => setting)).toEqual([{ burnIn: 'any' }]);
  expect(notes).toContain(
    'none of 3 runs was trained once for all settings that make no difference to it, by unregularized.',
  );
  const listed = (await call('ls', folder)).out.split('\n').map((line) =>
    line
      .trim()
      .split(/\s{2,}/)
      .slice(0, -2),
  );
  expect(listed.slice(1, 3)).toEqual([
    [join(folder, 'jobs/unregularized'), 'regularized', 'done', '12/12', 'any', 'none (shared)'],
    [join(folder, 'jobs/burnIn-6'), 'regularized', 'done', '12/12', '6', 'none (shared)'],
  ]);
  expect((await call('status', folder)).out).toContain('unregularized trains none for burnIn-6, burnIn-4, burnIn-8');
});

const patient = 1_800_000; // six sweeps and two runs are a dozen processes one behind another

test('a job takes no network of a run that trained it with another config or seed', { timeout: patient }, async () => {
  const folder = join(base, 'exchanged');
  const grow = (axis: string) => call('sweep', module, '--set', 'epochs=6', '--grid', axis, '--run', folder, '--retry');
  await grow('gamma=0.1,0.2');
  const taken = join(folder, 'jobs', 'unregularized');
  const other = async (...args: string[]) => {
    rmSync(taken, { recursive: true });
    await call('run', module, ...args, '--set', 'regularizers=none', '--run', taken);
    return (await grow('gamma=0.1,0.2,0.3')).out;
  };
  expect(await other('--set', 'epochs=7')).toContain('was begun with epochs=7, and this asks for epochs=6');
  expect(await other('--set', 'epochs=6', '--seed', '1')).toContain('was begun with seed=1, and this asks for seed=0');
  rmSync(taken, { recursive: true });
  expect(await grow('gamma=0.1,0.2,0.3').then(({ out }) => out)).toContain('4 of 4 done');
  expect(await hashOf(join(folder, 'jobs/gamma-0.3'))).toBe(
    await hashOfWhole('not-exchanged', 0, 'gamma=0.3', 'epochs=6'),
  );
});

test('where a sweep grows with changed code, its report says which networks were trained before', async () => {
  const [own, folder] = [join(base, 'own.ts'), join(base, 'changed')];
  writeFileSync(own, `export { default } from '${join(import.meta.dirname, 'regularized.ts')}';\n`);
  const args = ['sweep', own, '--set', 'epochs=6', '--run', folder, '--grid'];
  await call(...args, 'gamma=0.1,0.2');
  appendFileSync(own, '// changed\n');
  await call(...args, 'gamma=0.1,0.2,0.3', '--accept-changes');
  const { notes } = JSON.parse((await call('report', folder, '--json', '--accept-changes')).out) as { notes: string[] };
  const said = notes.filter((note) => note.includes('none was trained before that change, by unregularized.'));
  expect(said).toEqual([expect.stringContaining('gamma-0.3 went on, by --accept-changes')]);
});

test('where sweep and jobs are killed at random, jobs that begin with the network of another come to the same bits', async () => {
  const folder = join(base, 'killed');
  const often = ['--snapshot-every', '0.1', '--jobs', '2', '--set', 'pause=40', '--set', 'epochs=40'];
  const args = ['sweep', module, '--grid', 'gamma=0.1,0.3', '--seed', '1', '--run', folder, ...often];
  const { status, out, overwritten } = await killedSweep(args, folder, 4);
  expect([status, out]).toEqual([0, expect.stringContaining('3 of 3 done')]);
  expect(overwritten).toEqual([]);
  for (const job of pointJobs(readPlan(folder)!.jobs)) {
    const lines = [...readMetrics(join(folderOfJob(folder, job), 'metrics.ndjson'))];
    for (const name of ['none', 'rep-spectral']) {
      const numbers = lines.flatMap(({ network, stream, number }) =>
        network === name && stream === 'updates' ? [number as number] : [],
      );
      expect(numbers).toEqual(Array.from(numbers, (_, i) => i + numbers[0]!));
    }
  }
  const whole = await hashOfWhole('alone', 1, 'gamma=0.3', 'epochs=40');
  expect(await hashOf(join(folder, 'jobs/gamma-0.3'))).toBe(whole);
});
