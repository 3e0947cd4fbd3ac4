import { WeirError } from '../flow/errors.js';
import type { Outcome } from '../flow/flow.js';
import { identityNotes } from '../storage/identity-file.js';
import { lockFolder } from '../storage/lock.js';
import type { RunFolder } from '../storage/run-folder.js';
import { LostRank } from '../tensorflow/collectives/process-group.js';
import { loadTensorFlow } from '../tensorflow/tf.js';
import { collectReport } from './collect/collect.js';
import { Execution, type ExecutionOptions } from './execution.js';
import type { Pipeline } from './pipeline.js';
import { originText } from './pipeline-module.js';
import { stopOnSignals } from './process.js';
import { bothWatches, type RemoteControl, type RunActions, type RunEnding } from './watch.js';

export interface SessionOptions {
  readonly folder: RunFolder;
  readonly pipeline: Pipeline;
  readonly options: ExecutionOptions;
  /** How the run is reached while it goes on; not at all where left out. */
  readonly control?: ((path: string, asked: RunActions) => RemoteControl) | undefined;
}

/**
 * Runs the rest of a run to its end or to a stop, then writes its report. The folder is locked to this process.
 *
 * A first Ctrl-C, SIGTERM or SIGUSR1 stops the run at the next barrier; a second Ctrl-C or SIGTERM ends the process at once.
 */
export async function runSession({ folder, pipeline, options, control: controlled }: SessionOptions): Promise<Outcome> {
  const lock = lockFolder(folder.path, { dead: options.dead ?? [] });
  try {
    options.identity?.save();
  } catch (error) {
    lock.release();
    throw error;
  }
  let execution: Execution | undefined;
  const asked: RunActions = {
    stop: () => execution?.requests.stop(),
    snapshot: () => execution?.requests.snapshot(),
    pause: () => execution?.requests.pause(),
    resume: () => execution?.requests.resume(),
  };
  const control = controlled?.(folder.path, asked);
  const watch = control ? bothWatches(options.watch, control) : options.watch;
  execution = new Execution(folder, pipeline, { ...options, watch, check: () => lock.check() });
  const release = stopOnSignals(() => {
    watch.warn('stopping after a snapshot; once more to stop at once');
    execution.requests.stop();
  }, options.consensus?.alone ?? true);
  folder.failure = undefined;
  let ended: RunEnding = 'failed';
  try {
    await loadTensorFlow();
    const address = await control?.opened();
    if (address !== undefined) options.watch.warn(address); // to the terminal alone, for it may hold a token
    const outcome = await execution.run();
    if (outcome === 'done') {
      const { writeReport } = await import('../report/report.js'); // slow to load, and only now of use
      const report = collectReport([folder]);
      const known = identityNotes(folder); // these were printed during the run
      for (const one of report.notes ?? []) if (!known.includes(one)) options.watch.warn(one);
      await writeReport(folder.report, report);
    }
    if (execution.unsaved !== undefined) {
      watch.warn(
        `the last snapshot is missing (${execution.unsaved}): a resume goes on from the one before, and repeats the updates after it`,
      );
    }
    ended = outcome;
    return outcome;
  } catch (error) {
    if (!(error instanceof LostRank)) folder.failure = { message: inShort(error), at: new Date().toISOString() };
    throw error;
  } finally {
    release();
    await control?.close(ended);
    lock.release();
  }
}

/** A failure in one line, as `weir status` shows it. */
function inShort(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const where = error instanceof WeirError ? undefined : originText(error);
  return where === undefined ? error.message : `${error.message} (${where})`;
}
