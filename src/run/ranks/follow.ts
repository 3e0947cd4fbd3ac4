import type { Outcome } from '../../core/flow.js';
import { Execution, type Options } from '../execute.js';
import type { RunFolder } from '../folder.js';
import type { Pipeline } from '../pipeline.js';
import { stopOnSignals } from '../signals.js';
import { unwatched } from '../watch.js';
import type { Consensus } from './together.js';

/** Runs what is left of a run as a rank that writes nothing and shows nothing: rank 0 does. */
export async function followRun(
  folder: RunFolder,
  pipeline: Pipeline,
  options: Omit<Options, 'watch' | 'together'>,
  together: Consensus,
): Promise<Outcome> {
  const execution = new Execution(folder, pipeline, { ...options, watch: unwatched, together });
  const release = stopOnSignals(() => execution.stop(), false);
  try {
    return await execution.run();
  } finally {
    release();
  }
}
