import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { WeirError } from '../flow/errors.js';
import type { LocalRanks } from './place.js';

/**
 * Which GPU each of this command's ranks is to see, as CUDA_VISIBLE_DEVICES: one a rank, of those that the user (or Slurm) lists, else of
 * all. Undefined where a rank sees what its supervisor sees: there is none to choose, or a task has its own already.
 *
 * @param count how many GPUs this machine has
 * @throws {WeirError} where several ranks would share one: NCCL refuses that, late and in words of its own
 */
export function gpusOf({ own, hub }: LocalRanks, env: NodeJS.ProcessEnv, count: number): (string | undefined)[] {
  const { CUDA_VISIBLE_DEVICES: list, SLURM_LOCALID: task, WEIR_RUNTIME: runtime } = env;
  const listed = list === undefined ? undefined : visible(list);
  const theirs = own.map(() => undefined);
  if (runtime === 'cpu' || runtime === 'wasm' || listed?.length === 0) return theirs;
  if (hub !== undefined) {
    if (!/^\d+$/.test(task ?? '') || listed?.length === 1 || env.SLURM_GPUS_PER_TASK) return theirs;
  }
  const gpus = listed ?? Array.from({ length: count }, (_, i) => String(i));
  const places = hub === undefined ? own : [Number(task)]; // of this machine's ranks, which these are
  const most = Math.max(...places) + 1;
  if (gpus.length >= most) return places.map((place) => gpus[place]);
  if (count === 0) return theirs; // a list on a machine without any hides nothing
  const which = list === undefined ? '' : ` (CUDA_VISIBLE_DEVICES=${list})`;
  throw new WeirError(
    `${most} ranks on this machine have ${gpus.length} ${gpus.length === 1 ? 'GPU' : 'GPUs'}${which}, and each needs its own`,
    'start fewer ranks, or compute on processors with WEIR_RUNTIME=cpu',
  );
}

/** CUDA reads the list up to the first entry that is none. */
function visible(list: string): string[] {
  const entries = list.split(',').map((entry) => entry.trim());
  const none = entries.findIndex((entry) => !/^(\d+|(GPU|MIG)-\S+)$/.test(entry));
  return none < 0 ? entries : entries.slice(0, none);
}

/** How many GPUs of NVIDIA this machine has that TensorFlow can use: it has no CUDA library for other processors. */
export function countGpus(): number {
  if (process.arch !== 'x64') return 0;
  try {
    return readdirSync(join('/proc', 'driver', 'nvidia', 'gpus')).length;
  } catch {
    return 0;
  }
}
