import { WeirError } from '../../core/errors.js';
import { rankVariable } from '../../learn/device/cluster/environment.js';

/** Where the supervisors of several machines meet: that of rank 0 listens there. */
export interface Hub {
  readonly host: string;
  readonly port: number;
}

/** Which ranks this command is to start, of how many. */
export interface Place {
  readonly ranks: number;
  readonly own: readonly number[];
  /** None where all of them are this command's. */
  readonly hub?: Hub;
}

/**
 * What was asked for: `--ranks N` here, or one rank of several, as `srun` or the variables WEIR_RANK, WEIR_RANKS and WEIR_HUB say.
 *
 * @returns nothing where the command is to run by itself, or is itself the process of a rank
 * @throws {WeirError} where the variables are no such place
 */
export function placeOf(asked: number | undefined, env: NodeJS.ProcessEnv): Place | undefined {
  if (env[rankVariable]) return undefined;
  const { WEIR_RANK, WEIR_RANKS, WEIR_HUB } = env;
  if (WEIR_RANK || WEIR_RANKS) return member(WEIR_RANK, WEIR_RANKS, hubOf(WEIR_HUB));
  const tasks = Number(env.SLURM_STEP_NUM_TASKS ?? 1); // `srun` alone sets it
  if (tasks > 1) return member(env.SLURM_PROCID, String(tasks), slurmHub(env));
  if (asked === undefined || asked === 1) return undefined;
  return { ranks: asked, own: Array.from({ length: asked }, (_, rank) => rank) };
}

function member(rank: string | undefined, ranks: string | undefined, hub: Hub): Place | undefined {
  const [own, all] = [Number(rank), Number(ranks)];
  if (!/^\d+$/.test(rank ?? '') || !/^[1-9]\d*$/.test(ranks ?? '') || own >= all) {
    throw new WeirError(
      `WEIR_RANK=${rank ?? ''} and WEIR_RANKS=${ranks ?? ''} are no rank of several`,
      'give the number of ranks, and one from 0 on that is below it',
    );
  }
  return all === 1 ? undefined : { ranks: all, own: [own], hub };
}

function hubOf(text = ''): Hub {
  const [, host, port] = /^\[?(.+?)\]?:(\d{1,5})$/.exec(text) ?? [];
  if (host && Number(port) > 0 && Number(port) < 65_536) return { host, port: Number(port) };
  throw new WeirError(
    `WEIR_HUB='${text}' is no place to meet`,
    'give the address of the machine of rank 0 and a free port there, as in WEIR_HUB=10.0.0.1:7320',
  );
}

/** The step's first host, where `srun` puts task 0, and a port that other steps there do not have. */
function slurmHub(env: NodeJS.ProcessEnv): Hub {
  const job = Number(env.SLURM_JOB_ID ?? 0);
  const step = Number(env.SLURM_STEP_ID ?? 0);
  return { host: firstHost(env.SLURM_STEP_NODELIST ?? 'localhost'), port: 20_000 + ((101 * job + step) % 10_000) };
}

/** 'a[07-12,20],b' begins with a07. */
export const firstHost = (list: string): string =>
  list.replace(/^([^,[]*)\[(\d+)[^\]]*\]([^,]*).*$/, '$1$2$3').replace(/,.*$/, '');
