import { availableParallelism, hostname } from 'node:os';
import { WeirError } from '../flow/errors.js';
import { toError } from '../flow/terminal.js';
import { resumable } from '../run/process.js';
import { FailureDetector } from './failure-detector.js';
import { fields, type RankEvent, rankEventOf, type Verdict, verdictOf } from './messages.js';
import { countGpus, freePorts, gpusOf, type RankOptions, RankProcess } from './process.js';
import { type LocalRanks, rendezvous, type SupervisorGroup } from './rendezvous.js';

const silence = 20; // seconds without a beat after which another machine counts as lost
const look = 200; // milliseconds
const signals = ['SIGINT', 'SIGTERM', 'SIGUSR1'] as const;

/**
 * Watches the ranks that it starts, and hears of the others by the lines. That of rank 0 judges; the others hand on to it what they hear,
 * and end their ranks when it says so, or is there no more.
 */
export class Supervisor {
  private resolve!: (verdict: Verdict) => void;
  /** How the run ended, once no rank of this command is left. */
  readonly ended = new Promise<Verdict>((resolve) => Object.assign(this, { resolve }));
  private readonly processes: readonly RankProcess[];
  private readonly judge: FailureDetector | undefined;
  private readonly timer: NodeJS.Timeout;
  private ending = false;
  private asked = false;

  constructor(
    starts: readonly RankOptions[],
    private readonly met: SupervisorGroup,
    private readonly patience: number,
  ) {
    const judges = starts.some(({ rank }) => rank === 0);
    this.judge = judges ? new FailureDetector(met.hosts, patience, performance.now()) : undefined;
    this.processes = starts.map((start) => new RankProcess(start, (heard) => this.hear(start.rank, heard)));
    for (const signal of signals) process.on(signal, this.signalled);
    for (const [rank, line] of met.lines) {
      line.on('said', (said) => this.said(rank, said));
      line.on('gone', () => this.missing(rank, 'is gone'));
    }
    this.timer = setInterval(() => this.look(), look);
  }

  /** Hands the first signal on; at a second SIGINT or SIGTERM all ends at once, as it does without ranks. */
  private readonly signalled = (signal: NodeJS.Signals): void => {
    if (this.asked && signal !== 'SIGUSR1') {
      for (const one of this.processes) one.kill('SIGKILL');
      const status = signal === 'SIGINT' ? 130 : 143;
      if (this.judge === undefined)
        for (const { rank } of this.processes) this.hear(rank, { kind: 'ended', status, signal: null });
      else this.toAll({ end: { status } });
      process.exit(status);
    }
    if (this.asked) return;
    this.asked = true;
    for (const one of this.processes) one.kill(signal);
  };

  /** What another supervisor says: the line tells which rank is its, whatever it says itself. */
  private said(rank: number, said: unknown): void {
    const { heard, end } = fields(said);
    if (this.judge === undefined) {
      const verdict = verdictOf(end);
      if (verdict !== undefined) this.end(verdict);
    } else {
      const known = rankEventOf(heard);
      if (known !== undefined) this.hear(rank, known);
    }
  }

  private hear(rank: number, heard: RankEvent): void {
    if (this.judge === undefined) this.toAll({ heard });
    else this.judge.hear(rank, heard, performance.now());
    this.weigh();
  }

  private missing(rank: number, how: string): void {
    if (this.judge !== undefined) this.hear(rank, { kind: 'missing', how });
    else this.end({ status: resumable, why: `rank 0 on ${this.met.hosts[0]} ${how}` });
  }

  private weigh(): void {
    const verdict = this.judge?.verdict(performance.now());
    if (verdict !== undefined) this.end(verdict);
  }

  private look(): void {
    for (const [rank, line] of this.met.lines) {
      if (line.silence > silence) this.missing(rank, `has not been heard of for ${Math.round(line.silence)} seconds`);
    }
    for (const one of this.processes) {
      const seconds = one.stoppedFor(); // told before the others' patience ends, for they name nobody then
      if (seconds > this.patience / 2)
        this.hear(one.rank, { kind: 'missing', how: `has been stopped for ${Math.round(seconds)} seconds` });
    }
    this.weigh();
  }

  private end(verdict: Verdict): void {
    if (this.ending) return;
    this.ending = true;
    clearInterval(this.timer);
    this.toAll({ end: verdict });
    void Promise.all(this.processes.map((one) => one.end())).then(() => {
      for (const signal of signals) process.off(signal, this.signalled);
      for (const line of this.met.lines.values()) line.close();
      this.resolve(verdict);
    });
  }

  private toAll(message: object): void {
    for (const line of this.met.lines.values()) line.send(message);
  }
}

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
  const met: SupervisorGroup =
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
export function errorOf({ status, why }: Verdict): WeirError | undefined {
  if (why === undefined) return undefined;
  const remedy = status === resumable ? 'go on from the newest snapshot with `weir resume`' : undefined;
  return new WeirError(`${why}: all ranks were stopped`, remedy);
}
