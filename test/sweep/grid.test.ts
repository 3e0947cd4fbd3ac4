import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WeirError } from '../../src/flow/errors.js';
import { axesOf, parseAxis, pointsOf, readPoints } from '../../src/sweep/grid.js';
import { jobName, jobsOf, jobsOfExperiment, jobsOfSettings, moduleOf } from '../../src/sweep/jobs.js';
import { planSweep, type SweepPlan } from '../../src/sweep/plan.js';
import { sweep, sweepPoints } from '../../src/sweep/sweep.js';
import { call } from '../cli/weir.js';
import pipeline from './small.js';

let base: string;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'weir-grid-'));
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

const module = 'test/sweep/small.ts';
const jobs = (...axes: string[]) =>
  jobsOf({ module, pipeline, points: pointsOf(axes.map(parseAxis)) }).map(({ job }) => job);
const errorOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return `${(error as Error).message} → ${(error as WeirError).remedy}`;
  }
  return '';
};

test('an axis is values, a range of whole numbers, or lists in brackets; the last axis moves fastest', () => {
  expect(parseAxis('seed=0..2,7')).toEqual({ key: 'seed', values: ['0', '1', '2', '7'] });
  expect(parseAxis('kinds=[a,b],[b]').values).toEqual(['a,b', 'b']);
  expect(parseAxis('gammas={"a":1,"b":2},{"a":0.1}').values).toEqual(['{"a":1,"b":2}', '{"a":0.1}']);
  expect(axesOf({ kinds: [['a', 'b'], ['b']], rate: [1e-7] }).map(({ values }) => values)).toEqual([
    ['["a","b"]', '["b"]'],
    ['1e-7'],
  ]);
  expect(
    jobs('rate=0.1,1', 'seed=3,4').map(({ name, seed, setting, config }) => [name, seed, setting, config.rate]),
  ).toEqual([
    ['rate-0.1-seed-3', 3, 'rate=0.1', 0.1],
    ['rate-0.1-seed-4', 4, 'rate=0.1', 0.1],
    ['rate-1-seed-3', 3, 'rate=1', 1],
    ['rate-1-seed-4', 4, 'rate=1', 1],
  ]);
});

test('a name that does not suit a folder is cut and ends in a digest of config and seed', () => {
  const name = (value: string) => jobName([['data', value]], { config: { data: value }, seed: 0 });
  expect(name('a/../b c')).toMatch(/^data-a-..-b-c-[0-9a-f]{8}$/);
  expect(name('a/../b/c')).not.toBe(name('a/../b c'));
  expect(name('x'.repeat(200))).toHaveLength(80);
});

test('an error in a grid names what would be right', () => {
  expect(errorOf(() => jobs('rat=1'))).toContain(
    "there is no key 'rat' → did you mean 'rate'? There are epochs, rate,",
  );
  expect(errorOf(() => jobs('sed=1'))).toContain("did you mean 'seed'?");
  expect(errorOf(() => jobs('rate='))).toBe(
    "the axis 'rate' of the grid is empty → give it at least one value, as in rate=a,b, or leave it out",
  );
  expect(errorOf(() => axesOf({ rate: [] }))).toContain("the axis 'rate' of the grid is empty");
  expect(errorOf(() => jobs('rate=fast'))).toBe(
    'in the sweep, rate=fast: Invalid input: expected number, received string → rate (learning rate) is a number; its default is 0.1',
  );
  expect(errorOf(() => jobs('kinds=[a,c]'))).toContain('kinds is a list of a, b');
  expect(errorOf(() => jobs('seed=one'))).toContain('seed=one: a seed is a whole number');
  expect(errorOf(() => jobs('rate=0.1,0.10'))).toContain('two jobs of the sweep are the same: rate-0.1 and rate=0.10');
  expect(errorOf(() => jobs('rate=1', 'rate=2'))).toContain("the grid has two axes 'rate'");
  expect(errorOf(() => jobs('seed=9..0'))).toContain('runs backwards');
});

test('a list is an array of objects or an object a line; an error names the line or entry', () => {
  const file = join(base, 'jobs.ndjson');
  writeFileSync(file, '{"rate": 0.1, "seed": 3}\n\n{"rate": 1, "kinds": ["a", "b"]}\n');
  expect(readPoints(file)).toEqual([
    [
      ['rate', '0.1'],
      ['seed', '3'],
    ],
    [
      ['rate', '1'],
      ['kinds', '["a","b"]'],
    ],
  ]);
  writeFileSync(file, '{"rate": 0.1}\n{"rate": \n');
  expect(errorOf(() => readPoints(file))).toContain(`line 2 of ${file} is no JSON`);
  writeFileSync(file, '[{"rate": 0.1}, 3]');
  expect(errorOf(() => readPoints(file))).toContain(`entry 2 of ${file} is no object`);
  writeFileSync(file, Buffer.from('{"kind": "a"}\n{"kind": "Müll"}\n', 'latin1'));
  expect(errorOf(() => readPoints(file))).toContain('line 2: there are bytes that are not UTF-8');
  writeFileSync(file, '[]');
  expect(errorOf(() => readPoints(file))).toContain('is empty');
});

test('a key that is given twice is refused, and a value from a script that is not of its key’s type', async () => {
  const twice = [...pointsOf([parseAxis('rate=0.1,0.2')])].map((point) => [...point, ['rate', '0.3'] as const]);
  expect(() => jobsOf({ module, pipeline, points: twice })).toThrow("'rate' is given by the list and by the grid");
  const points = pointsOf([parseAxis('seed=0,1')]);
  await expect(sweepPoints({ module, points, set: ['seed=3'] })).rejects.toThrow("'seed' is set for all jobs and for");
  await expect(sweep({ module, grid: { rate: [0.1, '0.2'] } as object })).rejects.toMatchObject({
    message: expect.stringContaining('grid rate: "0.2": '),
    remedy: 'rate (learning rate) is a number; its default is 0.1',
  });
  await expect(sweep({ module, list: [{ epochs: '3' } as object] })).rejects.toThrow('list epochs: "3": ');
});

test('a target that holds no sweep is told from one without points', async () => {
  const told = async (...args: string[]) => (await call('sweep', ...args)).err;
  const empty = mkdtempSync(join(tmpdir(), 'weir-empty-'));
  expect(await told('MISSING')).toContain('there is no module and no sweep MISSING');
  expect(await told('MISSING', '--status')).toContain('there is no module and no sweep MISSING');
  expect(await told('pipelines/minst.ts')).toMatch(
    /no module pipelines\/minst.ts\n.*did you mean pipelines\/mnist.ts\?/,
  );
  expect(await told(empty)).toContain(`there is no sweep in ${empty}`);
  expect(await told(module)).toContain('the sweep has no points');
  expect(await told(module, '--grid', 'seed=0', '--status')).toContain(
    `no sweep of ${module} has begun in runs/sweep-small`,
  );
  const settings = ['--set', 'epochs=1', '--set', 'pause=0', '--set', 'epochs=x'];
  expect(await told(module, '--grid', 'seed=0', ...settings)).toMatch(
    /^--set epochs=x takes the place of --set epochs=1\nweir: in the sweep, epochs=x: /,
  );
  rmSync(empty, { recursive: true });
});

test('a folder that holds another sweep is refused by the first difference; it may grow', async () => {
  const folder = join(base, 'sweep');
  const asked = (jobs: SweepPlan['jobs'], begun = false) =>
    planSweep(folder, { jobs, slow: false, executor: 'local' }, () => begun);
  const { id } = await asked(jobs('seed=0,1'));
  const grown = await asked(jobs('seed=0..2'));
  expect([grown.id, grown.jobs.length]).toEqual([id, 3]);
  await expect(asked(jobs('seed=1..3'))).rejects.toThrow(`holds a sweep of 3 jobs with 'seed-0' among them`);
  const others = jobsOf({ module, pipeline, points: pointsOf([parseAxis('seed=0..2')]), set: ['rate=7'] }).map(
    ({ job }) => job,
  );
  await expect(asked(others, true)).rejects.toThrow('seed-0 was begun with rate=0.1, and this asks for rate=7');
  expect((await asked(others)).jobs[0]!.config.rate).toBe(7);
});

test('the settings of an experiment are jobs, each after the run whose networks it uses', async () => {
  const jobs = await jobsOfExperiment({
    module: moduleOf('mnist-readout'),
    seed: 3,
    into: 'runs/x',
    set: ['hidden=7'],
  });
  expect(jobs.map(({ name, after, seed }) => [name, after, seed])).toEqual([
    ['mnist', [], 3],
    ['mnist-readout', ['mnist'], 3],
  ]);
  expect(jobs[1]!.config.from).toBe(resolve('runs/x/mnist'));
  const xor = await jobsOfExperiment({ module: moduleOf('xor'), seed: 0, into: 'runs/x', set: [] });
  expect(jobsOfSettings(xor, ['noisy']).map(({ name }) => name)).toEqual(['xor-noisy']);
});
