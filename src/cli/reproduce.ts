import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Command } from 'commander';
import { WeirError } from '../flow/errors.js';
import { toError, toOutput } from '../flow/terminal.js';
import { controlAt } from '../monitor/access.js';
import { controlledBy } from '../monitor/control.js';
import { tryOut } from '../run/pipeline.js';
import { resumable } from '../run/process.js';
import { runSession } from '../run/session.js';
import { TerminalWatch } from '../run/terminal-watch.js';
import { InProcess, type JobRunner, threadsFor } from '../sweep/executors/local.js';
import { requireSlurm } from '../sweep/executors/slurm-commands.js';
import { type Job, jobsOfExperiment, jobsOfSettings, moduleOf } from '../sweep/jobs.js';
import type { JobEntry } from '../sweep/ledger.js';
import { folderOfJob, planSweep, readPlan, type SweepPlan } from '../sweep/plan.js';
import { executorFor, reportSweep, runSweep, type SweepSettings, type SweepView } from '../sweep/sweep.js';
import { reasons } from '../sweep/table.js';
import { loadTensorFlow } from '../tensorflow/tf.js';
import {
  acceptOption,
  countOption,
  executorOptions,
  folderOption,
  type RunningSettings,
  resumeOptions,
  runningOptions,
  seedOption,
  setOption,
  settingsHelp,
  takeOverOption,
  withOptions,
} from './options.js';
import { identified } from './session.js';

interface Settings extends RunningSettings {
  readonly set: string[];
  readonly seed: number;
  readonly run?: string;
  readonly only?: string[];
  readonly jobs?: number;
  readonly keepGoing?: boolean;
  readonly executor?: 'local' | 'slurm';
  readonly slurmOption: string[];
}

/** `weir reproduce NAME`: all runs of an experiment of the paper, and one report. The same command again goes on. */
export function command(): Command {
  const command = new Command('reproduce')
    .description('run an experiment of the paper with all settings, regularizers and seeds, and write its report')
    .argument('<experiment>', 'name of a pipeline, such as xor or mnist, or the path of a module')
    .option('--only <setting...>', 'run these settings only')
    .option('--keep-going', 'go on with other settings when one fails');
  const folder = folderOption().default(undefined, 'runs/reproduce-NAME');
  const jobs = 'how many settings at once, as processes (default: one after another in this one)';
  const own = [setOption(), seedOption(), folder, countOption('--jobs <n>', jobs), acceptOption(), takeOverOption()];
  return withOptions(command, ...own, ...executorOptions(), ...runningOptions())
    .addHelpText(
      'after',
      `\nExample:\n  weir reproduce xor\n  weir reproduce mnist --set seeds=3 --set attacked=100\nAfter a stop or a kill, the same command goes on.${settingsHelp}`,
    )
    .action(async (name: string, settings: Settings) => {
      const experiment = await askedFor(name, settings);
      const { into, plan, wanted, separate } = experiment;
      const inProcess = new InProcess(inTerminal(settings));
      const { keepGoing = false } = settings;
      const { outcome, entries } = await runSweep({
        folder: into,
        plan,
        jobs: wanted,
        keepGoing,
        retry: true,
        executor: (ledger) => (separate ? executorFor(into, plan, running(settings), ledger) : inProcess),
        ...(!separate && { view: quietView() }),
      });
      if (outcome === 'stopped') {
        toOutput(`stopped; the same command goes on\n${into}\n`);
        process.exitCode = resumable;
        return;
      }
      if (inProcess.failure !== undefined && !keepGoing) throw inProcess.failure;
      await conclude(experiment, entries);
    });
}

interface Asked {
  readonly into: string;
  readonly plan: SweepPlan;
  readonly wanted: readonly Job[];
  /** Whether its runs are separate processes. */
  readonly separate: boolean;
}

async function askedFor(name: string, settings: Settings): Promise<Asked> {
  const into = settings.run ?? join('runs', `reproduce-${name.replace(/^.*[/\\]|\.\w+$/g, '')}`);
  const before = readPlan(into);
  if (before?.threads !== undefined) process.env.WEIR_THREADS = String(before.threads); // the number decides the bits
  const slow = (await loadTensorFlow()).kind === 'wasm';
  const jobs = await jobsOfExperiment({
    module: moduleOf(name),
    seed: settings.seed,
    into,
    set: settings.set,
    fallback: (pipeline) => (slow ? pipeline.fallback : {}),
  });
  const wanted = jobsOfSettings(jobs, settings.only);
  const executor = settings.executor ?? before?.executor ?? 'local';
  if (executor === 'slurm') await requireSlurm();
  const separate = settings.jobs !== undefined || executor === 'slurm';
  if (separate && (settings.monitor ?? settings.monitorAddress) !== undefined) {
    throw new WeirError(
      '--monitor shows one run, and this starts several',
      'leave --jobs out, or use weir monitor RUN',
    );
  }
  const threads = separate && before === undefined ? { threads: threadsFor(settings.jobs ?? 1) } : {};
  const plan = await planSweep(
    into,
    {
      jobs,
      slow,
      executor,
      part: true,
      ...threads,
      acceptChanges: settings.acceptChanges,
      dead: settings.takeOver ?? [],
    },
    (job) => existsSync(join(folderOfJob(into, job), 'config.json')),
  );
  return { into, plan, wanted, separate };
}

function running(settings: Settings): SweepSettings {
  const { jobs, executor, slurmOption } = settings;
  return {
    options: resumeOptions(settings),
    ...(executor !== undefined && { executor }),
    ...(jobs !== undefined && { jobs }),
    ...(slurmOption.length > 0 && { slurmOptions: slurmOption }),
  };
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

/** A run in this terminal shows itself; only a job of another process is mentioned. */
function quietView(): SweepView {
  let mentioned = false;
  return {
    watch(entries) {
      const [name, other] =
        [...entries].find(([, { lease }]) => lease !== undefined && lease.by.pid !== process.pid) ?? [];
      if (mentioned || other === undefined) return;
      mentioned = true;
      toError(`waiting for ${name}, which process ${other.lease!.by.pid} runs\n`);
    },
    note: () => undefined,
    close: async () => undefined,
  };
}

/** Runs jobs one after another in this terminal, with one monitor for all: an open page moves on to the next run. */
function inTerminal(settings: Settings): JobRunner {
  const control = controlledBy(controlAt(settings));
  return async (folder, pipeline, stopped) => {
    const { config, seed } = folder.started;
    await tryOut(pipeline, config, seed);
    if (stopped()) return 'stopped';
    const identity = await identified(folder, pipeline, settings);
    const watch = new TerminalWatch(folder, pipeline);
    for (const one of identity.said.splice(0)) watch.warn(one);
    try {
      return await runSession({
        folder,
        pipeline,
        options: { ...settings, dead: settings.takeOver ?? [], watch, identity },
        control,
      });
    } finally {
      watch.close();
    }
  };
}
