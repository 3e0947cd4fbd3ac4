import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RunFolder } from '../../src/storage/run-folder.js';
import type { ClaimedJob, Executor, JobStatus } from '../../src/sweep/executors/executor.js';
import type { Job } from '../../src/sweep/jobs.js';
import { Ledger } from '../../src/sweep/ledger.js';
import { prepare, Scheduler, type SchedulerOptions, type SweepOutcome } from '../../src/sweep/scheduler.js';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'weir-scheduler-'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const job = (name: string, after: readonly string[] = []): Job => ({
  name,
  after,
  path: name,
  module: resolve('test/sweep/small.ts'),
  pipeline: 'small',
  setting: '',
  seed: 0,
  config: { epochs: 1 },
});

/** An executor that reports the scripted statuses of each job in order, and the last one from then on. */
class Scripted implements Executor {
  readonly capacity = 2;
  readonly started: string[] = [];
  readonly stopped: string[] = [];
  constructor(
    private readonly script: Readonly<Record<string, readonly JobStatus[]>>,
    readonly onStop: Executor['onStop'] = 'stop',
  ) {}

  async start(held: readonly ClaimedJob[]): Promise<void> {
    for (const { job } of held) this.started.push(job.name);
  }

  async poll(held: readonly ClaimedJob[]): Promise<JobStatus[]> {
    return held.map(({ job, folder }) => {
      if (this.stopped.includes(job.name)) return { state: 'ended', status: 75 };
      const [now, ...later] = this.script[job.name]!;
      if (later.length > 0) (this.script as Record<string, readonly JobStatus[]>)[job.name] = later;
      if (now!.state === 'ended' && now!.status === 0) finish(folder);
      return now!;
    });
  }

  async wait(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }

  async stop(held: readonly ClaimedJob[]): Promise<void> {
    for (const { job } of held) this.stopped.push(job.name);
  }
}

/** Writes the files of a finished run. */
function finish(folder: string): void {
  RunFolder.open(folder).snapshots('small').write('done', {}, { pipeline: 'small' });
  mkdirSync(join(folder, 'report'), { recursive: true });
  writeFileSync(join(folder, 'report/report.html'), '');
}

const done: JobStatus = { state: 'ended', status: 0 };
const failed: JobStatus = { state: 'ended', status: 1, reason: 'no data' };
const running: JobStatus = { state: 'running' };

async function runJobs(
  jobs: readonly Job[],
  executor: Executor,
  { stopAfter, ...more }: Partial<SchedulerOptions> & { readonly stopAfter?: number } = {},
): Promise<{ readonly outcome: SweepOutcome; readonly states: Readonly<Record<string, string>> }> {
  const ledger = Ledger.open(join(base, 'ledger'), 'x');
  let watched = 0;
  const scheduler: Scheduler = new Scheduler({
    jobs,
    ledger,
    executor,
    keepGoing: true,
    note: () => undefined,
    folderOf: ({ name }) => join(base, name),
    logOf: ({ name }) => join(base, `${name}.log`),
    watch: () => {
      if (++watched === stopAfter) scheduler.stop();
    },
    ...more,
  });
  try {
    const outcome = await scheduler.run();
    return {
      outcome: outcome,
      states: Object.fromEntries([...ledger.all(jobs)].map(([name, { state }]) => [name, state])),
    };
  } finally {
    await ledger.close();
  }
}

test('a job starts when those before it are done, as many at once as the executor takes', async () => {
  const executor = new Scripted({ a: [running, running, done], b: [running, done], c: [done], d: [done] });
  const jobs = [job('a'), job('b', ['a']), job('c'), job('d')];
  expect(await runJobs(jobs, executor)).toEqual({
    outcome: 'done',
    states: { a: 'done', b: 'done', c: 'done', d: 'done' },
  });
  expect(executor.started).toEqual(['a', 'c', 'd', 'b']);
});

test('a failed job holds back only the jobs after it; with fail-fast it stops all others at a snapshot', async () => {
  const jobs = [job('a'), job('b', ['a']), job('c'), job('d')];
  const script = () => ({ a: [running, failed], b: [done], c: [running, running, running, done], d: [done] });
  expect(await runJobs(jobs, new Scripted(script()))).toEqual({
    outcome: 'failed',
    states: { a: 'failed', b: 'waiting', c: 'done', d: 'done' },
  });
  rmSync(base, { recursive: true });
  expect(await runJobs(jobs, new Scripted(script()), { keepGoing: false })).toEqual({
    outcome: 'failed',
    states: { a: 'failed', b: 'waiting', c: 'waiting', d: 'waiting' },
  });
});

test('at a stop, jobs of this machine stop and wait; jobs of a cluster go on and are found again', async () => {
  const jobs = [job('a'), job('b'), job('c')];
  const endless = () => ({ a: [running], b: [running], c: [running] });
  expect(await runJobs(jobs, new Scripted(endless()), { stopAfter: 3 })).toEqual({
    outcome: 'stopped',
    states: { a: 'waiting', b: 'waiting', c: 'waiting' },
  });
  const leaving = new Scripted(endless(), 'leave');
  expect(await runJobs(jobs, leaving, { stopAfter: 3 })).toEqual({
    outcome: 'stopped',
    states: { a: 'running', b: 'running', c: 'waiting' },
  });
  expect(leaving.stopped).toEqual([]);
});

test('jobs that could not be started wait again, and the error is reported', async () => {
  class Refused extends Scripted {
    override async start(): Promise<void> {
      throw new Error('no such partition');
    }
  }
  const jobs = [job('a'), job('b')];
  const gone: JobStatus = { state: 'gone', reason: 'not submitted' };
  await expect(runJobs(jobs, new Refused({ a: [gone], b: [gone] }))).rejects.toThrow('no such partition');
  const ledger = Ledger.open(join(base, 'ledger'), 'x');
  expect([...ledger.all(jobs).values()].map(({ state, barren }) => [state, barren])).toEqual([
    ['waiting', 0],
    ['waiting', 0],
  ]);
  await ledger.close();
});

test('a folder with a run of other values is left alone, and the job fails', async () => {
  RunFolder.create(join(base, 'a'), { ...job('a'), config: { epochs: 2 } });
  const executor = new Scripted({ a: [done] });
  expect(await runJobs([job('a')], executor)).toEqual({ outcome: 'failed', states: { a: 'failed' } });
  expect(executor.started).toEqual([]);
});

test('after the loss of the ledger, a job whose folder is finished does not run again', async () => {
  const jobs = [job('a'), job('b', ['a'])];
  await runJobs(jobs, new Scripted({ a: [done], b: [done] }));
  rmSync(join(base, 'ledger'), { recursive: true });
  const executor = new Scripted({});
  expect((await runJobs(jobs, executor)).outcome).toBe('done');
  expect(executor.started).toEqual([]);
});

test('a job that was attempted and has no snapshot begins anew with other values; with one it is refused', async () => {
  const other = { ...job('a'), config: { epochs: 2 } };
  const folder = join(base, 'a');
  await prepare(job('a'), folder, 1);
  await expect(prepare(other, folder, 1)).rejects.toThrow('was begun with epochs=1'); // the run of others
  expect(await prepare(other, folder, 2)).toBe('ready');
  expect(RunFolder.open(folder).started.config).toEqual({ epochs: 2 });
  RunFolder.open(folder).snapshots('small').write('1', {}, { pipeline: 'small' });
  await expect(prepare(job('a'), folder, 3)).rejects.toThrow('was begun with epochs=2, and this asks for epochs=1');
});
