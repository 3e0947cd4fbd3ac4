import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Data } from '../../src/flow/data.js';
import { hashAll } from '../../src/storage/digest.js';
import { readMetrics } from '../../src/storage/metric-reader.js';
import { isAlive } from '../../src/storage/process-id.js';
import { RunFolder } from '../../src/storage/run-folder.js';
import { trainedState } from '../../src/storage/run-state.js';
import { folderOfJob, readPlan } from '../../src/sweep/plan.js';
import { readRows } from '../../src/sweep/table.js';
import { type Started, start } from '../cli/weir.js';

export interface Killed {
  /** Exit status and output of the process that ended the sweep. */
  readonly status: number | NodeJS.Signals | null;
  readonly out: string;
  readonly kills: { readonly sweeps: number; readonly jobs: number };
  /** Jobs whose folder was made a second time. */
  readonly overwritten: readonly string[];
}

/**
 * Runs a sweep and kills at random instants: the sweep's process, a job's, or all of them at once. Now and then two processes of the sweep
 * work together. Returns once it has killed as often as wanted and the sweep is over.
 */
export async function killedSweep(args: readonly string[], folder: string, wanted: number): Promise<Killed> {
  const kills = { sweeps: 0, jobs: 0 };
  const made = new Map<string, string>();
  const overwritten = new Set<string>();
  const checkFolders = (): void => {
    for (const [job, id] of identities(folder)) {
      if (made.has(job) && made.get(job) !== id) overwritten.add(job);
      made.set(job, id);
    }
  };
  const sweeps: Started[] = [];
  const begin = (): void => void sweeps.push(start(...args));
  begin();
  for (let turn = 0; kills.sweeps + kills.jobs < wanted || Math.min(kills.sweeps, kills.jobs) < 2; turn++) {
    // Mostly while jobs run, now and then just after the start of the sweep.
    if (turn % 5 !== 4) await underWay(folder, () => sweeps.every(hasEnded));
    await new Promise((resolve) => setTimeout(resolve, 1500 * Math.random()));
    checkFolders();
    const ended = sweeps.filter(hasEnded);
    for (const one of ended) sweeps.splice(sweeps.indexOf(one), 1);
    if (sweeps.length === 0) {
      if (ended.some(({ child }) => child.exitCode === 0)) break; // the sweep ended before all kills
      begin();
      continue;
    }
    const running = await pidsOf(folder);
    const what = turn % 3;
    if (what !== 1) {
      for (const { child } of sweeps.splice(0)) {
        child.kill('SIGKILL');
        kills.sweeps++;
      }
    }
    for (const pid of what === 0 ? [] : what === 1 ? running.slice(turn % 2, (turn % 2) + 1) : running) {
      if (killed(pid)) kills.jobs++;
    }
    if (what !== 1) begin();
    if (turn % 4 === 3) begin();
  }
  if (sweeps.length === 0) begin();
  const results = await Promise.all(sweeps.map(({ ended }) => ended));
  checkFolders();
  return { ...results[0]!, kills, overwritten: [...overwritten] };
}

/** SHA-256 of the state and the metric log of a finished run of `small.ts`. */
export function hashOf(run: string): string {
  const { flow, update } = trainedState(RunFolder.open(run), 'small');
  return hashAll({ small: { flow, update } } as unknown as Data, readMetrics(join(run, 'metrics.ndjson')));
}

/** Whether the log of a run has each update exactly once. */
export function loggedOnce(run: string): boolean {
  const numbers = [...readMetrics(join(run, 'metrics.ndjson'))]
    .filter(({ stream }) => stream === 'updates')
    .map(({ number }) => number);
  return numbers.length > 0 && numbers.every((number, i) => number === i);
}

/** By job, a text that changes when its run's folder is made again. */
function identities(folder: string): [string, string][] {
  return (readPlan(folder)?.jobs ?? []).flatMap((job) => {
    const file = join(folderOfJob(folder, job), 'config.json');
    return existsSync(file)
      ? [[job.name, `${statSync(file).ino} ${readFileSync(file, 'utf8')}`] as [string, string]]
      : [];
  });
}

const hasEnded = ({ child }: Started): boolean => child.exitCode !== null || child.signalCode !== null;

async function underWay(folder: string, over: () => boolean): Promise<void> {
  while ((await pidsOf(folder)).length === 0 && !over()) await new Promise((resolve) => setTimeout(resolve, 50));
}

async function pidsOf(folder: string): Promise<number[]> {
  const plan = readPlan(folder);
  if (plan === undefined) return [];
  return (await readRows(folder, plan)).flatMap(({ entry }) => {
    const location = entry.lease?.location;
    return location?.kind === 'process' && isAlive(location.mark) === true ? [location.mark.pid] : [];
  });
}

function killed(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false; // the process had ended
  }
}
