import { WeirError } from '../flow/errors.js';
import { toError } from '../flow/terminal.js';
import { controlAt } from '../monitor/access.js';
import { controlledBy } from '../monitor/control.js';
import { tryOut } from '../run/pipeline.js';
import { runSession } from '../run/session.js';
import { TerminalWatch } from '../run/terminal-watch.js';
import { InProcess, type JobRunner, threadsFor } from '../sweep/executors/local.js';
import { requireSlurm } from '../sweep/executors/slurm-commands.js';
import type { Job } from '../sweep/jobs.js';
import { planSweep, readPlan, type SweepPlan } from '../sweep/plan.js';
import {
  begunIn,
  executorFor,
  runSweep,
  type SweepResult,
  type SweepSettings,
  type SweepView,
} from '../sweep/sweep.js';
import { type RunningSettings, resumeOptions } from './options.js';
import { identified } from './session.js';

/** The options of `weir reproduce`. */
export interface ReproductionSettings extends RunningSettings {
  readonly set: string[];
  readonly seed: number;
  readonly run?: string;
  readonly only?: string[];
  readonly jobs?: number;
  readonly keepGoing?: boolean;
  readonly executor?: 'local' | 'slurm';
  readonly slurmOption: string[];
  readonly results?: string;
  /** Only of a study: whether runs are started. */
  readonly runs: boolean;
}

/** Jobs of an experiment or a study that are to be run, and how. */
export interface Asked {
  readonly into: string;
  readonly plan: SweepPlan;
  readonly wanted: readonly Job[];
  /** Whether its runs are separate processes. */
  readonly separate: boolean;
}

/** Plans jobs in a folder, or adds them to those that it has. */
export async function planJobs(
  into: string,
  jobs: readonly Job[],
  wanted: readonly Job[],
  settings: ReproductionSettings,
  slow: boolean,
): Promise<Asked> {
  const before = readPlan(into);
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
    await begunIn(into),
  );
  return { into, plan, wanted, separate };
}

/** Runs the wanted jobs to their end, or to a stop. @throws the error of a run that failed, unless others are to go on */
export async function runJobs(
  { into, plan, wanted, separate }: Asked,
  settings: ReproductionSettings,
): Promise<SweepResult> {
  const inProcess = new InProcess(inTerminal(settings));
  const { keepGoing = false } = settings;
  const result = await runSweep({
    folder: into,
    plan,
    jobs: wanted,
    keepGoing,
    retry: true,
    executor: (ledger) => (separate ? executorFor(into, plan, running(settings), ledger) : inProcess),
    ...(!separate && { view: quietView() }),
  });
  if (result.outcome !== 'stopped' && inProcess.failure !== undefined && !keepGoing) throw inProcess.failure;
  return result;
}

function running(settings: ReproductionSettings): SweepSettings {
  const { jobs, executor, slurmOption } = settings;
  return {
    options: resumeOptions(settings),
    ...(executor !== undefined && { executor }),
    ...(jobs !== undefined && { jobs }),
    ...(slurmOption.length > 0 && { slurmOptions: slurmOption }),
  };
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
function inTerminal(settings: ReproductionSettings): JobRunner {
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
