import { WeirError } from '../flow/errors.js';
import { rankVariable } from '../tensorflow/collectives/environment.js';

/** Where the supervisors of several machines meet: that of rank 0 listens there. */
export interface RendezvousAddress {
  readonly host: string;
  readonly port: number;
}

/** Which ranks this command is to start, of how many. */
export interface LocalRanks {
  readonly ranks: number;
  readonly own: readonly number[];
  /** None where all of them are this command's. */
  readonly hub?: RendezvousAddress;
}

/**
 * What was asked for: `--ranks N` here, or one rank of several, as `srun` or the variables WEIR_RANK, WEIR_RANKS and WEIR_HUB say;
 * `--ranks 1` makes it one by itself there too.
 *
 * @param before how many it was begun with: taken where nothing else is said
 * @returns nothing where the command is to run by itself, or is itself the process of a rank
 * @throws {WeirError} where the variables are no such place, or say another number than was asked for
 */
export function localRanksOf(
  asked: number | undefined,
  env: NodeJS.ProcessEnv,
  before?: number,
): LocalRanks | undefined {
  if (env[rankVariable] || asked === 1) return undefined;
  const { WEIR_RANK, WEIR_RANKS, WEIR_HUB } = env;
  if (WEIR_RANK || WEIR_RANKS) {
    const [rank, ranks] = member('WEIR_RANK', WEIR_RANK || (WEIR_RANKS === '1' ? '0' : ''), 'WEIR_RANKS', WEIR_RANKS);
    agreed(asked, ranks, 'WEIR_RANKS says');
    return ranks === 1 ? undefined : { ranks, own: [rank], hub: rendezvousAddressOf(WEIR_HUB) };
  }
  const tasks = env.SLURM_STEP_NUM_TASKS; // `srun` alone sets it
  if (Number(tasks ?? 1) > 1) {
    const [rank, ranks] = member('SLURM_PROCID', env.SLURM_PROCID, 'SLURM_STEP_NUM_TASKS', tasks);
    agreed(asked, ranks, 'srun started tasks:');
    return { ranks, own: [rank], hub: WEIR_HUB ? rendezvousAddressOf(WEIR_HUB) : slurmRendezvousAddress(env) };
  }
  const ranks = asked ?? before ?? 1;
  return ranks === 1 ? undefined : { ranks, own: Array.from({ length: ranks }, (_, rank) => rank) };
}

function member(one: string, rank = '', all: string, ranks = ''): [rank: number, ranks: number] {
  if (/^\d+$/.test(rank) && /^[1-9]\d*$/.test(ranks) && Number(rank) < Number(ranks))
    return [Number(rank), Number(ranks)];
  throw new WeirError(
    `${one}=${rank} and ${all}=${ranks} are no rank of several`,
    'give the number of ranks, and one from 0 on that is below it',
  );
}

function agreed(asked: number | undefined, ranks: number, says: string): void {
  if (asked === undefined || asked === ranks) return;
  throw new WeirError(
    `--ranks ${asked} was given, but ${says} ${ranks}`,
    'leave --ranks out there: each task is a rank; --ranks 1 makes each run by itself',
  );
}

function rendezvousAddressOf(text = ''): RendezvousAddress {
  const [, host, port] = /^\[?(.+?)\]?:(\d{1,5})$/.exec(text) ?? [];
  if (host && Number(port) > 0 && Number(port) < 65_536) return { host, port: Number(port) };
  throw new WeirError(
    `WEIR_HUB='${text}' is no place to meet`,
    'give the address of the machine of rank 0 and a free port there, as in WEIR_HUB=10.0.0.1:7320',
  );
}

/** The step's first host, where `srun` puts task 0, and a port that other steps there do not have. */
function slurmRendezvousAddress(env: NodeJS.ProcessEnv): RendezvousAddress {
  const job = Number(env.SLURM_JOB_ID ?? 0);
  const step = Number(env.SLURM_STEP_ID ?? 0);
  return { host: firstHost(env.SLURM_STEP_NODELIST ?? 'localhost'), port: 20_000 + ((101 * job + step) % 10_000) };
}

/** 'rack[1-2]node[07-12,20],b' begins with rack1node07. */
export const firstHost = (list: string): string =>
  /^(\[[^\]]*\]|[^,[])*/.exec(list)![0].replace(/\[(\d+)[^\]]*\]/g, '$1');
