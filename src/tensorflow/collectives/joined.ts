import { everything } from '../../flow/share.js';
import { loadedRuntime } from '../device-tf.js';
import { collectives } from './collectives.js';
import type { ProcessGroup } from './ranks.js';

/** A process by itself. */
export const alone: ProcessGroup = {
  ...everything,
  synchronized: false,
  sum: (x) => x.clone(),
  collect: (x) => x.expandDims(0),
  gather: (bytes) => [bytes],
  spent: 0,
};
let joined: ProcessGroup | undefined;

/** The ranks that this process is one of, once the runtime is loaded; by itself where it was not started as one of several. */
export function ranks(): ProcessGroup {
  if (joined !== undefined) return joined;
  const runtime = loadedRuntime();
  if (runtime === undefined) return alone;
  const { cluster, device } = runtime;
  joined = cluster === undefined ? alone : collectives(cluster, device === 'GPU' ? 'nccl' : 'auto');
  return joined;
}
