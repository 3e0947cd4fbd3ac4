import { availableParallelism, hostname } from 'node:os';
import { WeirError } from '../../core/errors.js';
import { resumable } from '../exit-status.js';
import type { Heard, Verdict } from './events.js';
import { freePorts } from './free-ports.js';
import { Judge } from './judge.js';
import { type Met, meet } from './meet.js';
import type { Place } from './place.js';
import { RankProcess } from './rank-process.js';

export interface Supervision {
  readonly place: Place;
  /** The command's own arguments: every rank is the same command again. */
  readonly args: readonly string[];
  readonly synchronised: boolean;
  /** Seconds to wait for the others at the start. */
  readonly wait: number;
  /** Seconds without an update after which the rank that is behind counts as hung. */
  readonly patience: number;
}

const silence = 20; // seconds without a beat after which another machine counts as lost
const look = 200; // milliseconds

/**
 * Starts this command's ranks, and ends them all where one of any machine ends before its time, hangs, or is heard of no more: what waits in a
 * collective cannot look after itself.
 *
 * @returns how the run ended
 */
export async function supervise({ place, args, synchronised, wait, patience }: Supervision): Promise<Verdict> {
  const { ranks, own, hub } = place;
  const ports = await freePorts(own.length);
  const met: Met =
    hub === undefined
      ? { addresses: ports.map((port) => `127.0.0.1:${port}`), hosts: Array(ranks).fill(hostname()), lines: new Map() }
      : await meet(place, hub, ports[0]!, wait);
  const threads = hub === undefined ? Math.max(1, Math.floor(availableParallelism() / ranks)) : undefined;
  if (own.includes(0)) {
    const ports = met.addresses.map((address) => address.replace(/^127\.0\.0\.1:/, '')).join(', ');
    process.stderr.write(
      `weir: ${ranks} ranks; TensorFlow's gRPC between them lets in whoever reaches ${ports}: keep that network private\n`,
    );
  }
  const judge = own.includes(0) ? new Judge(met.hosts, patience, performance.now()) : undefined;

  return new Promise((resolve) => {
    let ended = false;
    const processes = own.map(
      (rank) => new RankProcess({ rank, ...met, args, synchronised, threads }, (heard) => hear(rank, heard)),
    );
    const signals = (['SIGINT', 'SIGTERM', 'SIGUSR1'] as const).map((signal) => {
      const pass = (): void => {
        for (const one of processes) one.kill(signal);
      };
      process.on(signal, pass);
      return () => process.off(signal, pass);
    });

    const end = (verdict: Verdict): void => {
      if (ended) return;
      ended = true;
      clearInterval(timer);
      for (const line of met.lines.values()) line.send({ end: verdict });
      void Promise.all(processes.map((one) => one.end())).then(() => {
        for (const undo of signals) undo();
        for (const line of met.lines.values()) line.close();
        resolve(verdict);
      });
    };
    const hear = (rank: number, heard: Heard): void => {
      if (judge === undefined) met.lines.get(0)!.send({ rank, heard });
      else judge.hear(rank, heard, performance.now());
      weigh();
    };
    const weigh = (): void => {
      const verdict = judge?.verdict(performance.now());
      if (verdict !== undefined) end(verdict);
    };
    const timer = setInterval(() => {
      for (const [rank, line] of met.lines) {
        if (line.silence > silence) missing(rank, `has not been heard of for ${Math.round(line.silence)} seconds`);
      }
      for (const [i, one] of processes.entries()) {
        const seconds = one.stoppedFor(); // told before the others' patience ends, for they name nobody then
        if (seconds > patience / 2)
          hear(own[i]!, { kind: 'missing', how: `has been stopped for ${Math.round(seconds)} seconds` });
      }
      weigh();
    }, look);
    const missing = (rank: number, how: string): void => {
      if (judge === undefined) end({ status: resumable, why: `rank 0 on ${met.hosts[0]} ${how}` });
      else judge.hear(rank, { kind: 'missing', how }, performance.now());
    };

    for (const [rank, line] of met.lines) {
      line.on('said', (said) => {
        const { rank: of, heard, end: verdict } = said as { rank?: number; heard?: Heard; end?: Verdict };
        if (judge !== undefined && of !== undefined && heard !== undefined) hear(of, heard);
        if (judge === undefined && verdict !== undefined) end(verdict);
      });
      line.on('gone', () => {
        if (ended) return;
        missing(rank, 'is gone');
        weigh();
      });
    }
  });
}

/** Where the ranks of a run ended before their time, why, as one line. */
export function asError({ status, why }: Verdict): WeirError | undefined {
  if (why === undefined) return undefined;
  const remedy = status === resumable ? 'go on from the newest snapshot with `weir resume`' : undefined;
  return new WeirError(`${why}: all ranks were stopped`, remedy);
}
