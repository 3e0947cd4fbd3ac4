import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { alive, thisProcess } from '../../../src/run/snapshot/alive.js';
import { lockFolder } from '../../../src/run/snapshot/lock.js';

let folder: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-lock-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

/** Another process that tries to lock the folder; resolves to what it says: 'locked', or the refusal. */
function contender(): Promise<{ child: ChildProcess; said: string }> {
  const lock = pathToFileURL(join(import.meta.dirname, '../../../src/run/snapshot/lock.ts')).href;
  const script = `import { lockFolder } from ${JSON.stringify(lock)};
    try { lockFolder(${JSON.stringify(folder)}); console.log('locked'); setInterval(() => {}, 1000); }
    catch (error) { console.log(error.message); }`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return new Promise((resolve, reject) => {
    child.stdout!.once('data', (text) => resolve({ child, said: String(text).trim() }));
    child.once('error', reject);
  });
}

test('one process at a time: the second is told which, and may go on once the first has released it', () => {
  const lock = lockFolder(join(folder, 'run'));
  expect(() => lockFolder(join(folder, 'run'))).toThrow(
    `the run folder ${join(folder, 'run')} is in use by process ${process.pid}`,
  );
  lock.release();
  lockFolder(join(folder, 'run')).release();
  expect(readdirSync(join(folder, 'run'))).toEqual([]);
});

test('of several that start at once one gets it; killed, it holds it no longer', async () => {
  writeFileSync(join(folder, 'lock.3'), JSON.stringify({ pid: 2 ** 30, host: hostname() })); // all find a dead one
  const said = await Promise.all([contender(), contender(), contender()]);
  const winners = said.filter(({ said }) => said === 'locked');
  expect(winners).toHaveLength(1);
  const pid = winners[0]!.child.pid!;
  for (const { said: text } of said) if (text !== 'locked') expect(text).toContain(`is in use by process ${pid}`);
  expect(() => lockFolder(folder)).toThrow(`in use by process ${pid}`);
  process.kill(pid, 'SIGKILL');
  while (alive({ pid, host: hostname() }) === true) await new Promise((next) => setTimeout(next, 5));
  lockFolder(folder).release();
  expect(readdirSync(folder)).toEqual([]);
}, 20_000);

test('a process that has the number of one that ended is not taken for it', () => {
  const mark = thisProcess();
  expect(alive(mark)).toBe(true);
  expect(alive({ ...mark, host: 'elsewhere' })).toBe('unknown');
  expect(alive({ ...mark, pid: 2 ** 30 })).toBe(false);
  if (process.platform === 'linux') expect(alive({ ...mark, started: 'another boot 12' })).toBe(false);
});

test('a lock of another machine, and one that cannot be read, name the file to delete', () => {
  const path = join(folder, 'lock.1');
  writeFileSync(path, JSON.stringify({ pid: 7, host: 'elsewhere' }));
  expect(() => lockFolder(folder)).toThrow("in use by process 7 of the machine 'elsewhere'");
  writeFileSync(path, '');
  expect(() => lockFolder(folder)).toThrow(`the lock ${path} cannot be read`);
  expect(readdirSync(folder)).toEqual(['lock.1']);
  writeFileSync(join(folder, 'file'), '');
  expect(() => lockFolder(join(folder, 'file'))).toThrow("this process's own: EEXIST");
});

test('the lock of a task of Slurm on another machine counts until Slurm says that the task runs no more, or is this one', () => {
  const run = join(folder, 'run');
  const task = { pid: 1, host: 'elsewhere', slurm: '12_3' };
  const { PATH, SLURM_ARRAY_JOB_ID, SLURM_ARRAY_TASK_ID } = process.env;
  const slurmSays = (script: string): void =>
    writeFileSync(join(folder, 'squeue'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const held = (): void => {
    mkdirSync(run, { recursive: true });
    writeFileSync(join(run, 'lock.1'), JSON.stringify(task));
  };
  process.env.PATH = `${folder}:${PATH}`;
  try {
    held();
    slurmSays('echo RUNNING');
    expect(() => lockFolder(run)).toThrow("process 1 of the machine 'elsewhere'");
    slurmSays('echo "slurm_load_jobs error: Unable to contact slurm controller" >&2; exit 1');
    expect(() => lockFolder(run)).toThrow("process 1 of the machine 'elsewhere'");
    slurmSays('true');
    lockFolder(run).release();
    held();
    slurmSays('echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1');
    lockFolder(run).release();
    held();
    slurmSays('echo RUNNING');
    Object.assign(process.env, { SLURM_ARRAY_JOB_ID: '12', SLURM_ARRAY_TASK_ID: '3' });
    lockFolder(run).release();
  } finally {
    Object.assign(process.env, { PATH });
    for (const [name, value] of Object.entries({ SLURM_ARRAY_JOB_ID, SLURM_ARRAY_TASK_ID })) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
});
