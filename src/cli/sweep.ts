import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, parse, relative } from 'node:path';
import { Command, Option } from 'commander';
import { WeirError } from '../flow/errors.js';
import { nearest } from '../flow/options.js';
import { toOutput } from '../flow/terminal.js';
import { resumable } from '../run/process.js';
import { parseAxis, pointsOf, readPoints } from '../sweep/grid.js';
import { readPlan } from '../sweep/plan.js';
import {
  cancelJobs,
  continueSweep,
  folderOfSweep,
  type Sweep,
  type SweepSettings,
  sweepPoints,
} from '../sweep/sweep.js';
import { heldBack, reasons, summary } from '../sweep/table.js';
import {
  acceptOption,
  type ChangeSettings,
  collect,
  countOption,
  executorOptions,
  readAllOption,
  resumeOptions,
  type SnapshotSettings,
  seedOption,
  setOption,
  settingsHelp,
  snapshotOptions,
  takeOverOption,
  withOptions,
} from './options.js';
import { showSweep } from './status.js';

interface Settings extends SnapshotSettings, ChangeSettings {
  readonly takeOver: readonly string[];
  readonly grid: string[];
  readonly seeds?: string;
  readonly list?: string;
  readonly set: string[];
  readonly seed: number;
  readonly run?: string;
  readonly jobs?: number;
  readonly threads?: number;
  readonly memory?: number;
  readonly failFast?: boolean;
  readonly retry?: boolean;
  readonly executor?: 'local' | 'slurm';
  readonly slurmOption: string[];
  readonly ledger?: string;
  readonly status?: boolean;
  readonly json?: boolean;
  readonly cancel?: string[];
  readonly best?: string;
}

const help = `
Examples:
  weir sweep pipelines/mnist.ts --grid gamma=0.001,0.01,0.1 --grid seed=0..9 --set profile=quick
  weir sweep pipelines/mnist.ts --list jobs.ndjson --jobs 4 --threads 2
  weir sweep pipelines/mnist.ts --grid seed=0..99 --executor slurm --slurm-option=--time=4:00:00 --slurm-option=--mem=8G
  weir sweep runs/sweep-mnist             goes on with it, after any end
  weir sweep runs/sweep-mnist --status    shows the states of its jobs; so does the module with --status
  weir sweep runs/sweep-mnist --best attacks.distance    says which setting is the best

A value that is a list stands in brackets: --grid 'regularizers=[none,rep-spectral],[none]'. Exit status 0: all done; 1: some failed; 75: stopped.`;

/** `weir sweep MODULE`: a run for each point of a grid or list. The same command, or its folder, goes on with it. */
export function command(): Command {
  const command = new Command('sweep')
    .description(
      'run a pipeline once for each point of a grid or list, and write one report; the same command again goes on',
    )
    .argument('<module>', 'pipeline module, or the folder of a sweep to go on with')
    .addOption(
      new Option('--grid <key=a,b>', 'values of a key, or of seed (0..9); repeated: all combinations')
        .argParser(collect)
        .default([], 'none'),
    )
    .option('--seeds <a..b>', 'the same as --grid seed=a..b')
    .option('--list <file>', 'single jobs: a file of JSON, an array of objects or one a line')
    .addOption(setOption())
    .addOption(seedOption())
    .option('--run <folder>', 'folder of the sweep (default: runs/sweep-PIPELINE)')
    .addOption(countOption('--jobs <n>', 'how many jobs at once (default: as many as cores and memory hold)'))
    .addOption(
      countOption(
        '--threads <n>',
        'threads of each job; fixed, for they decide its bits (default: WEIR_THREADS, or 1)',
      ),
    )
    .addOption(countOption('--memory <GiB>', 'memory that each job needs (default: 1)'))
    .addOption(new Option('--fail-fast', 'stop the others when one fails').conflicts('keepGoing'))
    .option('--keep-going', 'go on with the others when one fails (the default)')
    .option('--retry', 'try failed and cancelled jobs again')
    .option('--ledger <folder>', 'folder of the ledger, on a disk of this machine (default: in the sweep’s folder)')
    .option(
      '--best <result>',
      'rank settings by a result, such as tests.accuracy or attacks.distance, and print the ranking',
    )
    .option('--status', 'only show the states of the jobs')
    .option('--json', 'with --status, as JSON')
    .option('--cancel <job...>', 'cancel jobs: waiting ones at once, running ones after a snapshot');
  const more = [...executorOptions(), ...snapshotOptions(), readAllOption(), acceptOption(), takeOverOption()];
  return withOptions(command, ...more)
    .addHelpText('after', `${help}${settingsHelp}`)
    .action(async (target: string, settings: Settings) => {
      if (settings.status || settings.cancel !== undefined) {
        const folder = await folderOfSweep(target, settings.run);
        const begun = readPlan(folder);
        if (begun === undefined) throw noSweep(target);
        if (settings.cancel !== undefined) await cancelJobs(folder, begun, settings.cancel);
        await showSweep(folder, settings);
        return;
      }
      const plan = readPlan(target);
      if (plan === undefined)
        printResult(
          await sweepPoints({ module: target, ...pointsIn(target, settings), ...running(settings) }),
          settings,
        );
      else printResult(await continueSweep(target, plan, running(settings)), settings);
    });
}

/** The error for a target that holds no sweep; it names what is there, or the sweep or module that may be meant. */
function noSweep(target: string): WeirError {
  const missing = `there is no sweep in ${target}`;
  const form = 'give a module with --grid key=a,b or --list FILE, or the folder of a sweep';
  if (existsSync(join(target, 'config.json')))
    return new WeirError(missing, `it holds a single run: \`weir resume ${target}\` goes on with it`);
  if (existsSync(target)) return new WeirError(missing, form);
  const beside = [dirname(target), 'runs', 'pipelines'].flatMap((folder) =>
    existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [],
  );
  const near = nearest(
    parse(target).name,
    beside.map((path) => parse(path).name),
  );
  const found = beside.find((path) => parse(path).name === near);
  const what = /\.\w+$/.test(target) ? `there is no module ${target}` : `there is no module and no sweep ${target}`;
  return new WeirError(
    what,
    found === undefined ? form : `did you mean ${found}? ${form[0]!.toUpperCase()}${form.slice(1)}`,
  );
}

function pointsIn(target: string, { seeds, list, set, seed, run, ...settings }: Settings) {
  const grid = [...settings.grid, ...(seeds === undefined ? [] : [`seed=${seeds}`])];
  if (grid.length === 0 && list === undefined) {
    if (!existsSync(target) || statSync(target).isDirectory()) throw noSweep(target);
    throw new WeirError('the sweep has no points', 'give --grid key=a,b or --list FILE with the module');
  }
  const combined = pointsOf(grid.map(parseAxis));
  const points =
    list === undefined ? combined : readPoints(list).flatMap((one) => combined.map((more) => [...one, ...more]));
  return { points, set, seed, ...(run !== undefined && { folder: run }) };
}

function running(settings: Settings): SweepSettings {
  const { jobs, threads, memory, ledger, executor, failFast = false, retry = false, slurmOption, best } = settings;
  return {
    keepGoing: !failFast,
    retry,
    options: resumeOptions(settings),
    acceptChanges: settings.acceptChanges,
    dead: settings.takeOver,
    ...(best !== undefined && { best }),
    ...(executor !== undefined && { executor }),
    ...(slurmOption.length > 0 && { slurmOptions: slurmOption }),
    ...(jobs !== undefined && { jobs }),
    ...(threads !== undefined && { threads }),
    ...(memory !== undefined && { memory: memory * 2 ** 30 }),
    ...(ledger !== undefined && { ledger }),
  };
}

function printResult({ folder, plan, outcome, entries, report, leftOut, ranking }: Sweep, { best }: Settings): void {
  const out = (line: string): boolean => toOutput(`${line}\n`);
  out(summary('sweep', entries.values()));
  for (const line of reasons(plan.jobs.map(({ name }) => ({ name, entry: entries.get(name)! })))) out(line);
  if (outcome === 'failed') for (const line of heldBack(plan.jobs, entries)) out(line);
  if (outcome === 'failed')
    out(`the output of the jobs is in ${join(folder, 'logs')}; to try failed jobs again: weir sweep ${folder} --retry`);
  if (outcome === 'stopped') out(`stopped; go on with: weir sweep ${folder}`);
  if (best !== undefined) for (const line of ranking) out(line);
  if (report !== undefined) out(`report  ${relative(process.cwd(), report)}`);
  out(folder);
  process.exitCode = outcome === 'stopped' ? resumable : outcome === 'done' && leftOut.length === 0 ? 0 : 1;
}
