import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { WeirError } from '../flow/errors.js';
import { damagedRun, type Status, statusOf } from '../run/status-status.js';
import type { Entry } from './entry.js';
import type { Job } from './job.js';
import { ledgerOf } from './ledger-of.js';
import { folderOfJob, type Plan } from './sweep-plan.js';
import type { Row } from './sweep-table.js';

/** Jobs with their runs as far as those have come. */
export async function rowsOf(
  folder: string,
  jobs: readonly Job[],
  entries: ReadonlyMap<string, Entry>,
  of: (entry: Entry) => boolean = () => true,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const job of jobs) {
    const entry = entries.get(job.name)!;
    const run = of(entry) ? await begun(folderOfJob(folder, job)) : undefined;
    rows.push({ name: job.name, entry, ...(run && { run }) });
  }
  return rows;
}

/** The jobs of the sweep in this folder, as its ledger and their folders have them. */
export async function readRows(folder: string, plan: Plan): Promise<Row[]> {
  const ledger = ledgerOf(folder, plan);
  try {
    return await rowsOf(folder, plan.jobs, ledger.all(plan.jobs));
  } finally {
    await ledger.close();
  }
}

/** Where the run of a job stands; one that is damaged hides no other. */
async function begun(path: string): Promise<Status | undefined> {
  if (!existsSync(join(path, 'config.json'))) return undefined;
  try {
    return await statusOf(path);
  } catch (error) {
    if (error instanceof WeirError) return damagedRun(path, error);
    throw error;
  }
}
