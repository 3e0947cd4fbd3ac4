import type { Outcome } from '../flow/flow.js';
import type { Consensus } from '../ranks/consensus.js';
import { Execution, type Options } from '../run/execution.js';
import type { Pipeline } from '../run/run-pipeline.js';
import { stopOnSignals } from '../run/signals.js';
import { unwatched } from '../run/watch.js';
import type { RunFolder } from '../storage/folder.js';

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
