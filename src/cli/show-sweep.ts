import { toOutput } from '../flow/core-terminal.js';
import { readRows } from '../sweep/rows.js';
import { readPlan } from '../sweep/sweep-plan.js';
import { reasons, summary, sweepTable } from '../sweep/sweep-table.js';

/** Prints where the jobs of the sweep in this folder stand. */
export async function showSweep(folder: string, { json }: { readonly json?: boolean }): Promise<void> {
  const rows = await readRows(folder, readPlan(folder)!);
  const entries = rows.map(({ entry }) => entry);
  const lines = json
    ? [JSON.stringify(rows, undefined, 2)]
    : [summary(`sweep ${folder}`, entries), ...sweepTable(rows), ...reasons(rows)];
  toOutput(`${lines.join('\n')}\n`);
}
