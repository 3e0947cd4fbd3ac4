import { join, relative } from 'node:path';
import { Command } from 'commander';
import { toOutput } from '../flow/terminal.js';
import { loadExport } from '../run/pipeline-module.js';
import { resumable } from '../run/process.js';
import { isStudy } from '../study/study.js';
import { jobsOfExperiment, jobsOfSettings, moduleOf } from '../sweep/jobs.js';
import type { JobEntry } from '../sweep/ledger.js';
import { readPlan } from '../sweep/plan.js';
import { reportSweep } from '../sweep/sweep.js';
import { reasons } from '../sweep/table.js';
import { loadTensorFlow } from '../tensorflow/tf.js';
import {
  acceptOption,
  countOption,
  executorOptions,
  folderOption,
  runningOptions,
  seedOption,
  setOption,
  settingsHelp,
  takeOverOption,
  withOptions,
} from './options.js';
import { type Asked, planJobs, type ReproductionSettings, runJobs } from './reproduction.js';

/** `weir reproduce NAME`: all runs of an experiment of the paper, and one report; or of a study, and one page. The same command again goes on. */
export function command(): Command {
  const command = new Command('reproduce')
    .description('run an experiment of the paper with all settings, regularizers and seeds, and write its report')
    .argument('<experiment>', 'name of a pipeline or study, such as xor, mnist or verdicts, or the path of a module')
    .option('--only <setting...>', 'run these settings only; of a study these experiments')
    .option('--keep-going', 'go on with other settings when one fails')
    .option('--results <folder>', 'of a study: take recorded results from there too, in place of those of the package')
    .option('--no-runs', 'of a study: start no runs, and judge by the results that there are');
  const folder = folderOption().default(undefined, 'runs/reproduce-NAME');
  const jobs = 'how many settings at once, as processes (default: one after another in this one)';
  const own = [setOption(), seedOption(), folder, countOption('--jobs <n>', jobs), acceptOption(), takeOverOption()];
  return withOptions(command, ...own, ...executorOptions(), ...runningOptions())
    .addHelpText(
      'after',
      `\nExample:\n  weir reproduce xor\n  weir reproduce mnist --set seeds=3 --set attacked=100\n  weir reproduce verdicts --set cifar10=DIR\nAfter a stop or a kill, the same command goes on.${settingsHelp}`,
    )
    .action(async (name: string, settings: ReproductionSettings) => {
      const module = moduleOf(name);
      const into = settings.run ?? join('runs', `reproduce-${name.replace(/^.*[/\\]|\.\w+$/g, '')}`);
      const before = readPlan(into);
      if (before?.threads !== undefined) process.env.WEIR_THREADS = String(before.threads); // the number decides the bits
      const exported = await loadExport(module);
      if (isStudy(exported)) {
        const { reproduceStudy } = await import('./reproduce-study.js');
        await reproduceStudy(exported, { name, module, into }, settings);
        return;
      }
      const asked = await experimentAt(module, into, settings);
      const { outcome, entries } = await runJobs(asked, settings);
      if (outcome === 'stopped') {
        toOutput(`stopped; the same command goes on\n${into}\n`);
        process.exitCode = resumable;
        return;
      }
      await conclude(asked, entries);
    });
}

async function experimentAt(module: string, into: string, settings: ReproductionSettings): Promise<Asked> {
  const slow = (await loadTensorFlow()).kind === 'wasm';
  const jobs = await jobsOfExperiment({
    module,
    seed: settings.seed,
    into,
    set: settings.set,
    fallback: (pipeline) => (slow ? pipeline.fallback : {}),
  });
  return planJobs(into, jobs, jobsOfSettings(jobs, settings.only), settings, slow);
}

/** Prints the results, and writes one report over all finished jobs. */
async function conclude({ into, wanted }: Asked, entries: ReadonlyMap<string, JobEntry>): Promise<void> {
  for (const line of reasons(wanted.map(({ name }) => ({ name, entry: entries.get(name)! })))) {
    toOutput(`${line}\n`);
  }
  const done = wanted.filter(({ name }) => entries.get(name)?.state === 'done');
  if (done.length < wanted.length) process.exitCode = 1;
  const { report, leftOut } = await reportSweep(into, done);
  if (leftOut.length > 0) process.exitCode = 1;
  if (report !== undefined) toOutput(`report  ${relative(process.cwd(), report)}\n`);
  toOutput(`${into}\n`);
}
