import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  controllerStates,
  jobStatusOf,
  type SlurmTaskState,
  tasksOf,
} from '../../../src/sweep/executors/slurm-commands.js';
import { readPlan } from '../../../src/sweep/plan.js';
import { readRows } from '../../../src/sweep/table.js';
import { hasNative } from '../../../src/tensorflow/ops/eager.js';
import { loadTensorFlow } from '../../../src/tensorflow/tf.js';
import { start, weir, command as weirCommand } from '../../cli/weir.js';
import { small } from '../../ranks/kills.js';
import { hashOf, loggedOnce } from '../kills.js';
import { Cluster, missing } from './cluster.js';

/** A limit in milliseconds for tests that hang: each step waits for an event, or for the end of the process that would cause it. */
const HANGS = 1_800_000;

const lacking = missing();

let base: string;
let cluster: Cluster | undefined;
beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'weir-slurm-'));
  if (lacking === undefined) cluster = await Cluster.start(mkdtempSync(join(base, 'cluster-')));
}, HANGS);
afterAll(async () => {
  await cluster?.stop();
  rmSync(base, { recursive: true, force: true });
}, HANGS);

test('the states of tasks, of a waiting range too, by the output of Slurm', () => {
  const states = tasksOf('4_0|COMPLETED|0:0\n4_[1-2,7%2]|PENDING|0:0\n4|RUNNING|0:0\n4_3|CANCELLED by 1000|0:15\n\n');
  expect([...states].map(([id, { state }]) => [id, state])).toEqual([
    ['4_0', 'COMPLETED'],
    ...['4_1', '4_2', '4_7'].map((id) => [id, 'PENDING']),
    ['4_3', 'CANCELLED by 1000'],
  ]);
  const status = (state: string, exit = '0:0') => jobStatusOf({ state, exit }, '4_1');
  expect(status('CANCELLED by 1000')).toMatchObject({ state: 'cancelled' });
  expect(status('FAILED', '75:0')).toEqual({ state: 'ended', status: 75 });
  expect(status('NODE_FAIL')).toMatchObject({ state: 'gone' });
  expect(status('OUT_OF_MEMORY', '0:125')).toMatchObject({ state: 'ended', status: 137 });
  for (const state of ['PENDING', 'RUNNING', 'REQUEUED', 'COMPLETING']) expect(status(state).state).toBe('running');
});

test.skipIf(lacking !== undefined)(
  `an array of eight: three queued again, one late, three cancelled, and the sweep killed twice; the ledger agrees with sacct${lacking === undefined ? '' : ` (${lacking})`}`,
  async () => {
    const { env } = cluster!;
    Object.assign(process.env, env);
    const folder = join(base, 'sweep');
    const module = 'test/sweep/small.ts';
    const args = [
      ...['sweep', module, '--grid', 'hangs=false,true', '--grid', 'seed=0..3', '--set', 'epochs=600', '--run', folder],
      ...[
        '--executor',
        'slurm',
        '--snapshot-every',
        '0.2',
        '--slurm-option=--time=30',
        '--slurm-option=--signal=B:USR1@10',
      ],
    ];
    const first = start(...args);
    await first.said('8 running');
    const submitted = await cluster!.until(() =>
      sure(/^(\d+)_/.exec(cluster!.run('squeue', '--noheader', '--format=%F_%K', '--states=RUNNING'))),
    );
    first.child.kill('SIGKILL');
    const array = submitted[1]!;
    const jobs = readPlan(folder)!.jobs.map(({ name }) => name);
    const task = (job: string) => `${array}_${jobs.indexOf(job)}`;
    const second = start(...args);
    // The first at its start, the others during training; the third by the signal that Slurm sends before a time limit.
    await cluster!.until(() =>
      sure(/RUNNING/.exec(cluster!.run('squeue', '--noheader', '--format=%T', `--jobs=${task('hangs-false-seed-0')}`))),
    );
    cluster!.run('scontrol', 'requeue', task('hangs-false-seed-0'));
    for (const job of ['hangs-false-seed-1', 'hangs-false-seed-2']) {
      await cluster!.until(() =>
        sure(/"number":9,/.exec(readFileSync(join(folder, 'jobs', job, 'metrics.ndjson'), 'utf8'))),
      );
    }
    cluster!.run('scontrol', 'requeue', task('hangs-false-seed-1'));
    cluster!.run('scancel', '--batch', '--signal=USR1', task('hangs-false-seed-2'));
    cluster!.run('scontrol', 'update', `JobId=${task('hangs-true-seed-0')}`, 'EndTime=now+12'); // no limit is below a minute
    cluster!.run('scancel', ...['hangs-true-seed-1', 'hangs-true-seed-2', 'hangs-true-seed-3'].map(task));
    await second.said('cancelled');
    second.child.kill('SIGKILL');
    const { status, out, err } = await weir(...args);
    expect([status, out, err]).toEqual([
      1,
      expect.stringContaining('4 of 8 done · 1 failed · 3 cancelled'),
      expect.not.stringContaining('weir:'),
    ]);

    const states = tasksOf(cluster!.run('sacct', '-X', '-n', '-P', '-j', array, '--format=JobID,State,ExitCode'));
    const rows = await readRows(folder, readPlan(folder)!);
    expect(rows.map(({ name, entry }) => [name, states.get(task(name))?.state.split(' ')[0], entry.state])).toEqual([
      ...[0, 1, 2, 3].map((seed) => [`hangs-false-seed-${seed}`, 'COMPLETED', 'done']),
      ['hangs-true-seed-0', 'TIMEOUT', 'failed'],
      ...[1, 2, 3].map((seed) => [`hangs-true-seed-${seed}`, 'CANCELLED', 'cancelled']),
    ]);
    const again = cluster!.run('sacct', '-X', '-n', '-P', '-D', '-j', array, '--format=JobID,State');
    expect(again.match(/REQUEUED/g)).toHaveLength(3);
    const words = (tasks: ReadonlyMap<string, SlurmTaskState>) =>
      Object.fromEntries([...tasks].map(([id, { state }]) => [id, state.split(' ')[0]]));
    expect(words(await controllerStates([array]))).toEqual(words(states)); // used where no accounting is kept

    const queuedAgain = [0, 1, 2];
    const alone = await Promise.all(
      queuedAgain.map(async (seed) => {
        const run = join(base, `alone-${seed}`);
        await weir('run', module, '--set', 'epochs=600', '--seed', String(seed), '--run', run);
        return hashOf(run);
      }),
    );
    expect(queuedAgain.map((seed) => hashOf(join(folder, `jobs/hangs-false-seed-${seed}`)))).toEqual(alone);
    expect([1, 2].map((seed) => loggedOnce(join(folder, `jobs/hangs-false-seed-${seed}`)))).toEqual([true, true]);
  },
  HANGS,
);

test.skipIf(lacking !== undefined)(
  `tasks of srun are the ranks of one run, without further options${lacking === undefined ? '' : ` (${lacking})`}`,
  { timeout: HANGS },
  async ({ skip }) => {
    await loadTensorFlow();
    if (!hasNative()) skip('collectives need the native runtime');
    const [ranksFolder, srunFolder] = [join(base, 'ranks'), join(base, 'srun')];
    expect((await weir(...small(ranksFolder, '--set', 'epochs=3'))).status).toBe(0);
    const command = small(srunFolder, '--set', 'epochs=3').filter(
      (arg, i, all) => arg !== '--ranks' && all[i - 1] !== '--ranks',
    );
    cluster!.run('srun', '--ntasks=2', '--export=ALL,WEIR_THREADS=1', process.execPath, weirCommand, ...command);
    const [one, other] = await Promise.all([ranksFolder, srunFolder].map((run) => weir('hash', '--all', run)));
    expect(other!.out).toBe(one!.out);
  },
);

function sure<T>(value: T | null): T {
  if (value === null) throw new Error('not yet');
  return value;
}
