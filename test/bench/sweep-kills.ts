import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderOfJob, readPlan } from '../../src/sweep/plan.js';
import { weir } from '../cli/weir.js';
import { hashOf, killedSweep, loggedOnce } from '../sweep/kills.js';
import { machine } from './compare.js';

/**
 * A sweep of 40 jobs, its processes and theirs killed at random instants, against the same sweep never interrupted: every job run
 * once, to the same state and metric log, in the folder that it began in. `npm run bench -- sweep-kills [JOBS] [KILLS]`, 40 and 50 by
 * default.
 */
export async function bench([jobs = '40', wanted = '50']: string[]): Promise<boolean> {
  console.log(machine());
  const base = mkdtempSync(join(tmpdir(), 'weir-sweep-kills-'));
  const args = (folder: string) => [
    ...['sweep', 'test/sweep/small.ts', '--grid', 'rate=0.1,0.3', '--grid', `seed=0..${Number(jobs) / 2 - 1}`],
    ...['--run', folder, '--snapshot-every', '0.1', '--jobs', '2'],
  ];
  try {
    const [whole, killed] = [join(base, 'whole'), join(base, 'killed')];
    const begun = performance.now();
    const reference = await weir(...args(whole));
    if (reference.status !== 0)
      throw new Error(`the sweep never interrupted ended with ${reference.status}: ${reference.err}`);
    console.log(`never interrupted: ${((performance.now() - begun) / 1000).toFixed(0)} s`);
    const { status, out, kills, overwritten } = await killedSweep(args(killed), killed, Number(wanted));
    console.log(
      `${kills.sweeps} kills of the sweep's processes, ${kills.jobs} of jobs; it ended with ${status}: ${out.split('\n')[0]}`,
    );
    const all = readPlan(killed)!.jobs;
    const same = all.filter((job) => {
      const run = folderOfJob(killed, job);
      return loggedOnce(run) && !overwritten.includes(job.name) && hashOf(run) === hashOf(folderOfJob(whole, job));
    });
    console.log(
      `${same.length} of ${all.length} jobs once, to the same state and metric log; ${overwritten.length} folders overwritten`,
    );
    console.log(`sweep-kills ratio ${(same.length / all.length).toFixed(2)} (reach 1.00)`);
    return status === 0 && same.length === all.length && kills.sweeps + kills.jobs >= Number(wanted);
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}
