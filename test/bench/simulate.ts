import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { planned } from '../../src/simulation/plan.js';
import { asTest, kindOf, shrunk } from '../../src/simulation/shrink.js';
import { trial } from '../../src/simulation/trial.js';
import { machine } from './compare.js';

/**
 * Random graphs under random schedules, kills, stops, full disks and failures of power: each seed is a graph, run undisturbed and then with all
 * that befalls it, and must come out the same. A seed that fails is made smaller and printed as a test.
 *
 * `npm run bench -- simulate [--seeds N] [--from SEED] [--jobs N]`; the ratio is that of schedules an hour to 100,000, and nothing may fail.
 */
const reach = 100_000; // schedules an hour

export async function bench(args: string[]): Promise<boolean> {
  const { values } = parseArgs({
    args,
    options: { seeds: { type: 'string' }, from: { type: 'string' }, jobs: { type: 'string' } },
  });
  const [seeds, from, jobs] = [values.seeds ?? 10_000, values.from ?? 0, values.jobs ?? 2].map(Number) as [
    number,
    number,
    number,
  ];
  if (jobs === 0) return await part(from, seeds);
  console.log(machine());
  const begun = performance.now();
  const each = Math.ceil(seeds / jobs);
  const failed = await Promise.all(
    Array.from({ length: jobs }, (_, i) => inProcess(from + i * each, Math.min(each, seeds - i * each))),
  );
  const hours = (performance.now() - begun) / 3_600_000;
  const bad = failed.reduce((sum, one) => sum + one, 0);
  console.log(
    `${seeds} schedules from seed ${from} on, ${bad} failed, ${Math.round(seeds / hours)} an hour in ${jobs} processes`,
  );
  const ratio = seeds / hours / reach;
  console.log(`simulate ratio ${ratio.toFixed(2)} (reach 1.00)`);
  return bad === 0 && ratio >= 1;
}

/** Runs some of the seeds in a process of its own. @returns how many failed */
function inProcess(from: number, seeds: number): Promise<number> {
  const child = spawn(
    process.execPath,
    [
      ...process.execArgv,
      process.argv[1]!,
      'simulate',
      '--jobs',
      '0',
      '--from',
      String(from),
      '--seeds',
      String(seeds),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let failed = 0;
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.startsWith('seed ')) failed++;
    console.log(line);
  });
  return new Promise((resolve, reject) =>
    child.on('close', (status) =>
      status === 0 ? resolve(failed) : reject(new Error(`the process of seeds from ${from} on ended with ${status}`)),
    ),
  );
}

async function part(from: number, seeds: number): Promise<boolean> {
  const shown = new Map<string, number>();
  for (let seed = from; seed < from + seeds; seed++) {
    const plan = planned(seed);
    const { faults } = await trial(plan);
    if (faults.length === 0) continue;
    const kind = kindOf(faults[0]!);
    console.log(`seed ${seed}: ${faults[0]}`);
    shown.set(kind, (shown.get(kind) ?? 0) + 1);
    if (shown.get(kind)! > 1) continue; // one of a kind is made smaller
    const small = await shrunk(plan);
    console.log(`${asTest(`seed ${seed}: ${small.faults[0]!.replace(/'/g, '’')}`, small.plan)}\n`);
  }
  return true;
}
