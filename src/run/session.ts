import type { Outcome } from '../core/flow.js';
import { loadTensorFlow } from '../learn/device/tf.js';
import { collectReport } from './collect/collect.js';
import { Execution, type Options } from './execute.js';
import type { RunFolder } from './folder.js';
import type { Pipeline } from './pipeline.js';
import { stopOnSignals } from './signals.js';
import { lockFolder } from './snapshot/lock.js';

export interface Session {
  readonly folder: RunFolder;
  readonly pipeline: Pipeline;
  readonly options: Options;
}

/** Exit status of a run that was stopped and can be resumed (EX_TEMPFAIL). */
export const resumable = 75;

/**
 * Runs what is left of a run to its end, or to a stop, then writes its report.
 *
 * One process at a time: the folder is locked. A first Ctrl-C, SIGTERM or SIGUSR1 stops at the next moment of rest, a second Ctrl-C or
 * SIGTERM at once.
 */
export async function runSession({ folder, pipeline, options }: Session): Promise<Outcome> {
  const lock = lockFolder(folder.path);
  const execution = new Execution(folder, pipeline, options);
  const release = stopOnSignals(() => {
    options.watch.warn('stopping after a snapshot; once more to stop at once');
    execution.stop();
  });
  folder.failure = undefined;
  try {
    await loadTensorFlow();
    const outcome = await execution.run();
    if (outcome === 'done') {
      const { writeReport } = await import('../observe/report/write.js'); // slow to load, and only now of use
      await writeReport(folder.report, collectReport([folder]));
    }
    if (execution.unsaved !== undefined) {
      options.watch.warn(
        `this stop is not saved (${execution.unsaved}): what came after the snapshot before it is made again on resume`,
      );
    }
    return outcome;
  } catch (error) {
    folder.failure = { message: (error as Error)?.message ?? String(error), at: new Date().toISOString() };
    throw error;
  } finally {
    release();
    lock.release();
  }
}
