import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Command } from 'commander';
import { WeirError } from '../../core/errors.js';
import { loadTensorFlow } from '../../learn/device/tf.js';
import { collectReport } from '../collect/collect.js';
import { RunFolder } from '../folder.js';
import { controlAt } from '../monitor/monitor-at.js';
import { chosen, jobsOfExperiment, moduleOf } from '../reproduction.js';
import { resumable, runSession } from '../session.js';
import { ThisProcess, type Work } from '../sweep/here.js';
import { folderOfJob, planned, readPlan } from '../sweep/plan.js';
import { threadsFor } from '../sweep/room.js';
import { runSweep, type View } from '../sweep/run-sweep.js';
import { requireSlurm } from '../sweep/slurm/commands.js';
import { executorFor } from '../sweep/sweep.js';
import { reasons } from '../sweep/table.js';
import { tryOut } from '../try-out.js';
import { Watcher } from '../watcher.js';
import {
  countOption,
  executorOptions,
  folderOption,
  type RunningSettings,
  resumeOptions,
  runningOptions,
  seedOption,
  setOption,
} from './options.js';

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

/** `weir reproduce NAME`: all runs of an experiment of the paper, and one report over them; asked again it goes on. */
export function reproduceCommand(): Command {
  const command = new Command('reproduce')
    .description('run an experiment of the paper, all its settings, regularisers and seeds, and report it')
    .argument('<experiment>', 'name of a pipeline, such as xor or mnist, or the path of a module')
    .addOption(setOption())
    .addOption(seedOption())
    .addOption(folderOption().default(undefined, 'runs/reproduce-NAME'))
    .option('--only <setting...>', 'these settings only')
    .addOption(
      countOption('--jobs <n>', 'settings at once, each a process of its own (default: one after another, here)'),
    )
    .option('--keep-going', 'go on with other settings when one fails');
  for (const option of [...executorOptions(), ...runningOptions()]) command.addOption(option);
  return command
    .addHelpText(
      'after',
      '\nExample:\n  weir reproduce xor\n  weir reproduce mnist --set seeds=3 --set attacked=100\nStopped or killed, the same command goes on where it was.',
    )
    .action(async (name: string, settings: Settings) => {
      const into = settings.run ?? join('runs', `reproduce-${name.replace(/^.*[/\\]|\.\w+$/g, '')}`);
      const before = readPlan(into);
      const known = before?.threads;
      if (known !== undefined) process.env.WEIR_THREADS = String(known); // what it was begun with decides its bits
      const slow = (await loadTensorFlow()).kind === 'wasm';
      const jobs = await jobsOfExperiment({
        ...{ module: moduleOf(name), seed: settings.seed, into, set: settings.set },
        fallback: (pipeline) => (slow ? pipeline.fallback : {}),
      });
      const wanted = chosen(jobs, settings.only);
      const executor = settings.executor ?? before?.executor ?? 'local';
      if (executor === 'slurm') await requireSlurm();
      const apart = settings.jobs !== undefined || executor === 'slurm';
      if (apart && (settings.monitor ?? settings.monitorAddress) !== undefined) {
        throw new WeirError(
          '--monitor shows one run, and this starts several',
          'leave --jobs out, or use weir monitor RUN',
        );
      }
      const plan = await planned(
        into,
        {
          ...{ jobs, slow, part: true, executor },
          ...(apart &&
            known === undefined &&
            readPlan(into) === undefined && { threads: threadsFor(settings.jobs ?? 1) }),
        },
        (job) => existsSync(join(folderOfJob(into, job), 'config.json')),
      );
      const here = new ThisProcess(inTerminal(settings));
      const { slurmOption, jobs: many, keepGoing = false } = settings;
      const running = {
        ...{ executor, options: resumeOptions(settings) },
        ...(many !== undefined && { jobs: many }),
        ...(slurmOption.length > 0 && { slurmOptions: slurmOption }),
      };
      const { driven, entries } = await runSweep({
        ...{ folder: into, plan, jobs: wanted, keepGoing, retry: true },
        executor: (ledger) => (apart ? executorFor(into, plan, running, ledger) : here),
        ...(!apart && { view: quiet() }),
      });
      if (driven === 'stopped') {
        process.stdout.write(`stopped; the same command goes on\n${into}\n`);
        process.exitCode = resumable;
        return;
      }
      if (here.failure !== undefined && !keepGoing) throw here.failure;
      for (const line of reasons(wanted.map((job) => ({ name: job.name, entry: entries.get(job.name)! })))) {
        process.stdout.write(`${line}\n`);
      }
      const done = wanted.filter((job) => entries.get(job.name)?.state === 'done');
      if (driven === 'failed') process.exitCode = 1;
      if (done.length > 0) {
        const { writeReport } = await import('../../observe/report/write.js');
        const folders = done.map((job) => RunFolder.open(folderOfJob(into, job)));
        const { html } = await writeReport(join(into, 'report'), collectReport(folders));
        process.stdout.write(`report  ${relative(process.cwd(), html)}\n`);
      }
      process.stdout.write(`${into}\n`);
    });
}

/** A run in this terminal says itself how it goes; only where another process has one there is something to tell. */
function quiet(): View {
  let told = false;
  return {
    watch(entries) {
      const [name, other] =
        [...entries].find(([, { lease }]) => lease !== undefined && lease.by.pid !== process.pid) ?? [];
      if (told || other === undefined) return;
      told = true;
      process.stderr.write(`${name} is run by process ${other.lease!.by.pid}; waiting for it\n`);
    },
    note: () => undefined,
    close: async () => undefined,
  };
}

/** One run after another in this terminal, with one address for all: a page that is open goes over to the next. */
function inTerminal(settings: Settings): Work {
  const monitor = controlAt(settings);
  return async (folder, pipeline, stopped) => {
    const { config, seed } = folder.started;
    await tryOut(pipeline, config, seed);
    if (stopped()) return 'stopped';
    const watch = new Watcher(folder, pipeline);
    try {
      return await runSession({ folder, pipeline, options: { ...settings, watch }, monitor });
    } finally {
      watch.close();
    }
  };
}
