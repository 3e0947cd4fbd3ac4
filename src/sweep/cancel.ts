import { WeirError } from '../flow/errors.js';
import { nearest } from '../run/run-config.js';
import { holderOf } from '../storage/snapshot-lock.js';
import { cancel } from './executors/commands.js';
import { ledgerOf } from './ledger-of.js';
import { folderOfJob, type Plan } from './sweep-plan.js';

/** Takes jobs out of a sweep. @throws {WeirError} when there is no such job */
export async function cancelJobs(folder: string, plan: Plan, names: readonly string[]): Promise<void> {
  const odd = names.find((name) => !plan.jobs.some((job) => job.name === name));
  if (odd !== undefined) {
    const known = plan.jobs.map(({ name }) => name);
    throw new WeirError(`the sweep in ${folder} has no job '${odd}'`, `did you mean '${nearest(odd, known)}'?`);
  }
  const ledger = ledgerOf(folder, plan);
  try {
    for (const job of plan.jobs.filter(({ name }) => names.includes(name))) {
      const { state, lease } = ledger.cancel(job.name, 'by weir sweep --cancel');
      if (state !== 'running') continue;
      const { place } = lease ?? {};
      if (place?.kind === 'slurm') {
        await cancel(place.id === undefined ? [] : [place.id]);
        continue;
      }
      const holder = holderOf(folderOfJob(folder, job));
      if (holder?.alive === true) process.kill(holder.mark.pid, 'SIGTERM');
    }
  } finally {
    await ledger.close();
  }
}
