import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { WeirError } from '../flow/errors.js';
import { toOutput } from '../flow/terminal.js';
import { type RunStatus, statusOf, unreadableRun } from '../run/status.js';
import { statusTable } from '../run/status-table.js';
import { begunRuns, readPlan } from '../sweep/plan.js';
import { readRows, reasons, summary, sweepTable } from '../sweep/table.js';

/** Prints the states of the jobs of a sweep. */
export async function showSweep(folder: string, { json }: { readonly json?: boolean }): Promise<void> {
  const rows = await readRows(folder, readPlan(folder)!);
  const entries = rows.map(({ entry }) => entry);
  const lines = json
    ? [JSON.stringify(rows, undefined, 2)]
    : [summary(`sweep ${folder}`, entries), ...sweepTable(rows), ...reasons(rows)];
  toOutput(`${lines.join('\n')}\n`);
}

/** `weir status [RUN…]`: the state of runs, how far they are, and when they will be done. */
export function command(): Command {
  return new Command('status')
    .description('show the state of runs: which are running, how far they are, when they will be done')
    .argument('[run...]', 'folders of runs (default: all under runs/)')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  weir status\n  weir status runs/reproduce-xor --json\n\n‘left’ is the time left in this phase; ‘to train’ is that of all training, without the measurements in between.',
    )
    .action(async (runs: string[], settings: { json?: boolean }) => {
      const sweeps = runs.filter((path) => readPlan(path) !== undefined);
      if (!settings.json && runs.length > 0 && sweeps.length === runs.length) {
        for (const sweep of sweeps) await showSweep(sweep, settings);
        return;
      }
      const paths = runs.length > 0 ? runs.flatMap(runsOf) : runsUnder('runs');
      const all: RunStatus[] = [];
      for (const path of paths) {
        try {
          if (!holdsRun(path)) readPlan(path); // throws where it is damaged
          all.push(await statusOf(path));
        } catch (error) {
          const isKnown = error instanceof WeirError || (error as NodeJS.ErrnoException).code !== undefined; // such as EIO
          if (!isKnown || !(holdsRun(path) || !runs.includes(path))) throw error;
          all.push(unreadableRun(path, error as Error)); // other runs are shown all the same
        }
      }
      if (settings.json) toOutput(`${JSON.stringify(all, undefined, 2)}\n`);
      else for (const line of statusTable(all)) toOutput(`${line}\n`);
    });
}

/** The run in this folder, or the runs of its sweep or experiment; the folder itself where it holds none, so that the error names it. */
function runsOf(folder: string): string[] {
  const plan = readPlan(folder);
  if (plan !== undefined) return begunRuns(folder, plan);
  const found = runsUnder(folder, 1);
  return found.length > 0 ? found : [folder];
}

/** The plan of a sweep. A damaged one does not hide other folders: its error is shown where its status is. */
function planIn(folder: string): ReturnType<typeof readPlan> | 'damaged' {
  try {
    return readPlan(folder);
  } catch (error) {
    if (error instanceof WeirError) return 'damaged';
    throw error;
  }
}

const holdsRun = (folder: string): boolean => existsSync(join(folder, 'config.json'));

/** Folders with a run, those inside of experiments included, by name. */
function runsUnder(folder: string, depth = 2): string[] {
  if (!existsSync(folder) || depth < 0) return [];
  if (holdsRun(folder)) return [folder];
  const plan = planIn(folder);
  if (plan === 'damaged') return [folder];
  if (plan !== undefined) return begunRuns(folder, plan);
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
    .flatMap((name) => runsUnder(join(folder, name), depth - 1));
}
