import type { Outcome } from '../../core/flow.js';
import { Execution, type Options, type Watch } from '../execute.js';
import type { RunFolder } from '../folder.js';
import type { Pipeline } from '../pipeline.js';
import { stopOnSignals } from '../signals.js';
import type { Together } from './together.js';

const nothing = (): void => undefined;
const unwatched: Watch = {
  ...{ network: nothing, record: nothing, snapshot: nothing, rest: nothing, held: nothing },
  warn: (message) => void process.stderr.write(`${message}\n`),
};

/** Runs what is left of a run as a rank that writes nothing and shows nothing: rank 0 does. */
export async function follow(
  folder: RunFolder,
  pipeline: Pipeline,
  options: Omit<Options, 'watch' | 'together'>,
  together: Together,
): Promise<Outcome> {
  const execution = new Execution(folder, pipeline, { ...options, watch: unwatched, together });
  const release = stopOnSignals(() => execution.stop());
  try {
    return await execution.run();
  } finally {
    release();
  }
}
