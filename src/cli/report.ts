import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { Command } from 'commander';
import { WeirError } from '../flow/errors.js';
import { toError, toOutput } from '../flow/terminal.js';
import { matchedStrength, matchLines } from '../measure/networks/matching.js';
import { rankedReport } from '../measure/networks/ranking.js';
import { reportJson } from '../report/json.js';
import { changesSince } from '../run/changes-since.js';
import { collectReport } from '../run/collect/collect.js';
import { intactRuns } from '../run/run-log.js';
import { RunFolder } from '../storage/run-folder.js';
import { begunRuns, pointJobs, readPlan } from '../sweep/plan.js';
import { acceptOption, readAllOption, withOptions } from './options.js';

/** `weir report RUN…`: one report over the given runs, finished or not. */
export function command(): Command {
  return withOptions(new Command('report'), acceptOption(), readAllOption())
    .description('write the report of one run, or one over several')
    .argument('<run...>', 'folders of runs, or of sweeps')
    .option('--best <result>', 'rank settings by a result, such as tests.accuracy (of a sweep the default)')
    .option(
      '--match <tuned=other>',
      'print the strength of a regularizer whose validation accuracy is that of another one, and write no page',
    )
    .option('--json', 'print every number as JSON, and write no page')
    .option(
      '--out <folder>',
      'where to write it (default: the folder `report` of the run or sweep; of several a new one under runs/)',
    )
    .addHelpText('after', '\nExample:\n  weir report runs/mnist-seed0 runs/mnist-seed1 --out comparison')
    .action(async (runs: string[], settings: Settings) => {
      const { folders, leftOut } = foldersOf(runs);
      process.env.CUDA_VISIBLE_DEVICES = '-1'; // the comparison needs no GPU, and a run may be using it
      const changes = await changesSince(folders, settings);
      const collected = collectReport(folders);
      const whole = { ...collected, notes: [...collected.notes, ...changes, ...leftOut] };
      const report = rankedReport(whole, settings.best ?? (runs.every(isGrid) ? 'usual' : undefined));
      for (const one of leftOut) toError(`${one}\n`);
      if (leftOut.length > 0) process.exitCode = 1;
      if (settings.match !== undefined) {
        toOutput(`${matchLines(matchedStrength(whole, pairOf(settings.match))).join('\n')}\n`);
        return;
      }
      if (settings.json) {
        toOutput(`${reportJson(report)}\n`);
        return;
      }
      const { writeReport } = await import('../report/report.js');
      const { html, json, figures } = await writeReport(settings.out ?? folderFor(runs), report);
      toOutput(
        `${figures.length} pictures in ${shown(join(dirname(html), 'figures'))}\n${shown(json)}\n${shown(html)}\n`,
      );
    });
}

interface Settings {
  readonly json?: boolean;
  readonly out?: string;
  readonly acceptChanges?: boolean;
  readonly best?: string;
  readonly match?: string;
}

function pairOf(text: string): { readonly tuned: string; readonly to: string } {
  const [tuned, to, ...more] = text.split('=');
  if (tuned && to && more.length === 0) return { tuned, to };
  throw new WeirError(`--match ${text} is not of the form TUNED=OTHER`, 'write --match weight-decay=rep-spectral');
}

/** Whether a folder is of a sweep over values, and not of an experiment of the paper. */
const isGrid = (path: string): boolean =>
  readPlan(path)?.jobs.every((job) => job.path === join('jobs', job.name)) ?? false;

/** The runs to report on: those that are named, and of sweeps all jobs that have begun and are intact. */
function foldersOf(paths: readonly string[]) {
  const leftOut: string[] = [];
  const folders = paths.flatMap((path) => {
    const plan = readPlan(path);
    if (plan === undefined) return [RunFolder.open(path)];
    const sound = intactRuns(begunRuns(path, { jobs: pointJobs(plan.jobs) }));
    leftOut.push(...sound.leftOut);
    return sound.runs;
  });
  if (folders.length > 0) return { folders, leftOut };
  throw new WeirError(`there is nothing to report in ${paths.join(', ')}`, leftOut[0] ?? 'wait until a run has begun');
}

/** The folder of the report: inside a single run or sweep, and a new one for several. */
function folderFor([first, ...more]: readonly string[]): string {
  if (more.length === 0) return join(first!, 'report');
  const name = join('runs', `report-${new Date().toISOString().slice(0, 19).replace(/:/g, '').replace('T', '-')}`);
  for (let i = 1; ; i++) {
    const folder = i === 1 ? name : `${name}-${i}`;
    if (!existsSync(folder)) return folder;
  }
}

const shown = (path: string): string => relative(process.cwd(), path) || path;
