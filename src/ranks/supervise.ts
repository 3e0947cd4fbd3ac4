import { availableParallelism, hostname } from 'node:os';
import { toError } from '../flow/core-terminal.js';
import { WeirError } from '../flow/errors.js';
import { resumable } from '../run/exit-status.js';
import type { Verdict } from './events.js';
import { freePorts } from './free-ports.js';
import { countGpus, gpusOf } from './gpus.js';
import { rendezvous } from './meet.js';
import type { ProcessGroup } from './met.js';
import type { LocalRanks } from './place.js';
import { Supervisor } from './ranks-supervisor.js';

export interface Supervision {
  readonly place: LocalRanks;
  /** The command's own arguments: every rank is the same command again. */
  readonly args: readonly string[];
  readonly synchronized: boolean;
  /** Seconds to wait for the others at the start. */
  readonly wait: number;
  /** Seconds without an update after which the rank that is behind counts as hung. */
  readonly patience: number;
}

/**
 * Starts this command's ranks, and ends them all where one of any machine ends before its time, hangs, or is heard of no more: what waits in a
 * collective cannot look after itself.
 *
 * @returns how the run ended
 */
export async function supervise({ place, args, synchronized, wait, patience }: Supervision): Promise<Verdict> {
  const { ranks, own, hub } = place;
  const gpus = gpusOf(place, process.env, countGpus());
  const ports = await freePorts(own.length, hub === undefined ? '127.0.0.1' : undefined);
  const met: ProcessGroup =
    hub === undefined
      ? { addresses: ports.map((port) => `127.0.0.1:${port}`), hosts: Array(ranks).fill(hostname()), lines: new Map() }
      : await rendezvous(place, hub, ports[0]!, wait);
  if (own.includes(0)) {
    const doors = met.addresses.join(', ');
    const whose = hub === undefined ? 'a user of this machine who reaches' : 'whoever reaches';
    toError(
      `weir: ${ranks} ranks; TensorFlow's gRPC between them asks for no password: ${whose} ${doors} reads and writes files as you\n`,
    );
  }
  const threads = hub === undefined ? Math.max(1, Math.floor(availableParallelism() / ranks)) : undefined;
  const { addresses } = met;
  const starts = own.map((rank, i) => ({ rank, addresses, args, synchronized, threads, gpu: gpus[i] }));
  return new Supervisor(starts, met, patience).ended;
}

/** Where the ranks of a run ended before their time, why, as one line. */
export function asError({ status, why }: Verdict): WeirError | undefined {
  if (why === undefined) return undefined;
  const remedy = status === resumable ? 'go on from the newest snapshot with `weir resume`' : undefined;
  return new WeirError(`${why}: all ranks were stopped`, remedy);
}
