import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockFolder } from '../../src/storage/lock.js';
import { isAlive, nameOfProcess, thisProcess } from '../../src/storage/process-id.js';

let folder: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-lock-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

/** What a refusal says is to be done. */
function remedyOf(refused: () => unknown): string {
  try {
    refused();
  } catch (error) {
    return (error as { readonly remedy: string }).remedy;
  }
  throw new Error('was not refused');
}

/** Another process that tries to lock the folder; resolves to what it says: 'locked', or the refusal. */
function contender(inside: readonly string[] = [], dead?: string): Promise<{ child: ChildProcess; said: string }> {
  const lock = pathToFileURL(join(import.meta.dirname, '../../src/storage/lock.ts')).href;
  const script = `import { lockFolder } from ${JSON.stringify(lock)};
    try { lockFolder(${JSON.stringify(folder)}, { dead: ${JSON.stringify(dead === undefined ? [] : [dead])} }); console.log('locked'); setInterval(() => {}, 1000); }
    catch (error) { console.log(error.message); }`;
  const [program, ...args] = [...inside, process.execPath, '--import', 'tsx', '--input-type=module', '-e', script];
  const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
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
  while (isAlive({ pid, host: hostname() }) === true) await new Promise((next) => setTimeout(next, 5));
  lockFolder(folder).release();
  expect(readdirSync(folder)).toEqual([]);
});

test('a process that has the number of one that ended is not taken for it', () => {
  const mark = thisProcess();
  expect(isAlive(mark)).toBe(true);
  expect(isAlive({ pid: mark.pid, host: 'elsewhere' })).toBe('unknown');
  expect(isAlive({ ...mark, pid: 2 ** 30 })).toBe(false);
  if (process.platform === 'linux') expect(isAlive({ ...mark, started: `${mark.boot} 12` })).toBe(false);
});

test.skipIf(process.platform !== 'linux')(
  'a process of another kernel or container cannot be asked, whatever its host is called; one of an earlier boot of this machine is dead',
  () => {
    const mark = thisProcess();
    const machine = 'pid:[4026531836]'; // what Linux calls the namespace of a machine itself
    expect(isAlive({ ...mark, namespace: 'pid:[4026532999]' })).toBe('unknown');
    expect(isAlive({ ...mark, boot: 'another', namespace: 'pid:[4026532999]' }, { ownDisk: true })).toBe('unknown');
    const earlier = { ...mark, boot: 'another', namespace: machine };
    expect(isAlive(earlier)).toBe('unknown'); // another machine of this name may have written it
    expect(isAlive(earlier, { ownDisk: true })).toBe(mark.namespace === machine ? false : 'unknown');
  },
);

test('a process that is said to be dead is named; who was taken for dead and lives is told so, and writes no more', () => {
  const mark = { ...thisProcess(), pid: 7, host: 'trainer', boot: 'another' };
  writeFileSync(join(folder, 'lock.1'), JSON.stringify(mark));
  expect(() => lockFolder(folder)).toThrow(
    /in use by process 7 of 'trainer', since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC: another machine or container, which cannot be asked/,
  );
  expect(() => lockFolder(folder, { dead: ['7@trainer', nameOfProcess({ ...mark, pid: 8 })] })).toThrow(
    'in use by process 7',
  );
  const lock = lockFolder(folder, { dead: [nameOfProcess(mark)] });
  lock.check();
  expect(readdirSync(folder)).toEqual(['lock.2']);
  renameSync(join(folder, 'lock.2'), join(folder, 'lock.3')); // as one does that takes this process for dead
  expect(() => lock.check()).toThrow(`the run folder ${folder} was taken over by process ${process.pid}`);
});

const containers = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0;

test.skipIf(!containers)(
  'of two containers under one host name the second is refused, also where its processes have the same numbers (needs unshare)',
  async () => {
    const inContainer = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];
    const first = await contender(inContainer);
    expect(first.said).toBe('locked');
    const { said } = await contender(inContainer);
    expect(said).toMatch(
      /in use by process \d+ of '.+', since .+: another container of this machine, which cannot be asked/,
    );
    expect(() => lockFolder(folder)).toThrow('another container of this machine');
    const name = /--take-over (\S+)/.exec(remedyOf(() => lockFolder(folder)))![1]!;
    expect(name).toMatch(new RegExp(`^\\d+@${hostname()}@2.*Z$`));
    expect((await contender(inContainer, name)).said).toBe('locked');
    expect((await contender(inContainer, name)).said).toMatch(/in use by process/); // by its successor of the same number
  },
);

test('a lock of another machine, and one that cannot be read, name the file to delete', () => {
  const path = join(folder, 'lock.1');
  writeFileSync(path, JSON.stringify({ pid: 7, host: 'elsewhere' }));
  expect(() => lockFolder(folder)).toThrow("in use by process 7 of 'elsewhere'");
  writeFileSync(path, '');
  expect(() => lockFolder(folder)).toThrow(`the lock ${path} cannot be read`);
  expect(readdirSync(folder)).toEqual(['lock.1']);
  writeFileSync(join(folder, 'file'), '');
  expect(() => lockFolder(join(folder, 'file'))).toThrow(
    `cannot lock the run folder ${join(folder, 'file')}: there is one already (EEXIST)`,
  );
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
    expect(() => lockFolder(run)).toThrow("process 1 of 'elsewhere'");
    slurmSays('echo "slurm_load_jobs error: Unable to contact slurm controller" >&2; exit 1');
    expect(() => lockFolder(run)).toThrow("process 1 of 'elsewhere'");
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
