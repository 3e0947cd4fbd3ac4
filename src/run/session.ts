import { WeirError } from '../flow/errors.js';
import type { Outcome } from '../flow/flow.js';
import { lockFolder } from '../storage/lock.js';
import type { RunFolder } from '../storage/run-folder.js';
import { LostRank } from '../tensorflow/collectives/process-group.js';
import { loadTensorFlow } from '../tensorflow/tf.js';
import { collectReport } from './collect/collect.js';
import { Execution, type ExecutionOptions } from './execution.js';
import type { Pipeline } from './pipeline.js';
import { originText } from './pipeline-module.js';
import { stopOnSignals } from './process.js';
import { identityNotes } from './run-identity.js';
import { bothWatches, type RemoteControl, type RunActions, type RunEnding } from './watch.js';

export interface SessionOptions {
  readonly folder: RunFolder;
  readonly pipeline: Pipeline;
  readonly options: ExecutionOptions;
  /** How it is reached while it runs; undefined: not at all. */
  readonly control?: ((path: string, asked: RunActions) => RemoteControl) | undefined;
}

export { resumable } from './process.js';

/**
 * Runs what is left of a run to its end, or to a stop, then writes its report.
 *
 * One process at a time: the folder is locked. A first Ctrl-C, SIGTERM or SIGUSR1 stops at the next moment of rest, a second Ctrl-C or
 * SIGTERM at once.
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
    stop: () => execution?.stop(),
    snapshot: () => execution?.snapshot(),
    pause: () => execution?.pause(),
    resume: () => execution?.resume(),
  };
  const control = controlled?.(folder.path, asked);
  const watch = control ? bothWatches(options.watch, control) : options.watch;
  execution = new Execution(folder, pipeline, { ...options, watch, check: () => lock.check() });
  const release = stopOnSignals(() => {
    watch.warn('stopping after a snapshot; once more to stop at once');
    execution.stop();
  }, options.consensus?.alone ?? true);
  folder.failure = undefined;
  let ended: RunEnding = 'failed';
  try {
    await loadTensorFlow();
    const address = await control?.opened();
    if (address !== undefined) options.watch.warn(address); // to the terminal alone: it bears the token there
    const outcome = await execution.run();
    if (outcome === 'done') {
      const { writeReport } = await import('../report/files.js'); // slow to load, and only now of use
      const report = collectReport([folder]);
      const known = identityNotes(folder); // said when they came up
      for (const one of report.notes ?? []) if (!known.includes(one)) options.watch.warn(one);
      await writeReport(folder.report, report);
    }
    if (execution.unsaved !== undefined) {
      watch.warn(
        `this stop is not saved (${execution.unsaved}): what came after the snapshot before it is made again on resume`,
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

/** A failure as `weir status` shows it. */
function inShort(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const where = error instanceof WeirError ? undefined : originText(error);
  return where === undefined ? error.message : `${error.message} (${where})`;
}
