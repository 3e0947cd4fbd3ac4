import { availableParallelism, hostname } from 'node:os';
import { WeirError } from '../flow/errors.js';
import { toError } from '../flow/terminal.js';
import { resumable } from '../run/process.js';
import { FailureDetector } from './failure-detector.js';
import { fields, type RankEvent, rankEventOf, type Verdict, verdictOf } from './messages.js';
import { countGpus, freePorts, gpusOf, type RankOptions, RankProcess } from './process.js';
import { type LocalRanks, rendezvous, type SupervisorGroup } from './rendezvous.js';

const longestSilence = 20; // seconds without a heartbeat after which another machine counts as lost
const interval = 200; // milliseconds between two checks
const signals = ['SIGINT', 'SIGTERM', 'SIGUSR1'] as const;

/**
 * Watches the ranks that it starts, and hears of the others from their supervisors. The supervisor of rank 0 has the failure detector and
 * decides. The others pass the events of their ranks on to it; they end their ranks at its verdict, or once it is gone.
 */
class Supervisor {
  private resolve!: (verdict: Verdict) => void;
  /** How the run ended, once no rank of this command is left. */
  readonly ended = new Promise<Verdict>((resolve) => Object.assign(this, { resolve }));
  private readonly processes: readonly RankProcess[];
  /** Of rank 0's supervisor alone. */
  private readonly detector: FailureDetector | undefined;
  private readonly timer: NodeJS.Timeout;
  private ending = false;
  private stopping = false;

  constructor(
    ranks: readonly RankOptions[],
    private readonly group: SupervisorGroup,
    private readonly patience: number,
  ) {
    const decides = ranks.some(({ rank }) => rank === 0);
    this.detector = decides ? new FailureDetector(group.hosts, patience, performance.now()) : undefined;
    this.processes = ranks.map((options) => new RankProcess(options, (event) => this.notice(options.rank, event)));
    for (const signal of signals) process.on(signal, this.onSignal);
    for (const [rank, connection] of group.connections) {
      connection.on('message', (message) => this.receive(rank, message));
      connection.on('closed', () => this.missing(rank, 'is gone'));
    }
    this.timer = setInterval(() => this.check(), interval);
  }

  /** Hands the first signal on to the ranks; a second SIGINT or SIGTERM ends all at once, as it does in a run by itself. */
  private readonly onSignal = (signal: NodeJS.Signals): void => {
    if (this.stopping && signal !== 'SIGUSR1') {
      for (const one of this.processes) one.kill('SIGKILL');
      const status = signal === 'SIGINT' ? 130 : 143;
      if (this.detector === undefined)
        for (const { rank } of this.processes) this.notice(rank, { kind: 'exit', status, signal: null });
      else this.broadcast({ verdict: { status } });
      process.exit(status);
    }
    if (this.stopping) return;
    this.stopping = true;
    for (const one of this.processes) one.kill(signal);
  };

  /** Takes in a message of another supervisor. The connection says which rank it is about, whatever the message says. */
  private receive(rank: number, message: unknown): void {
    const { event, verdict } = fields(message);
    if (this.detector === undefined) {
      const valid = verdictOf(verdict);
      if (valid !== undefined) this.end(valid);
    } else {
      const valid = rankEventOf(event);
      if (valid !== undefined) this.notice(rank, valid);
    }
  }

  private notice(rank: number, event: RankEvent): void {
    if (this.detector === undefined) this.broadcast({ event });
    else this.detector.notice(rank, event, performance.now());
    this.decide();
  }

  private missing(rank: number, how: string): void {
    if (this.detector !== undefined) this.notice(rank, { kind: 'missing', how });
    else this.end({ status: resumable, why: `rank 0 on ${this.group.hosts[0]} ${how}` });
  }

  private decide(): void {
    const verdict = this.detector?.verdict(performance.now());
    if (verdict !== undefined) this.end(verdict);
  }

  private check(): void {
    for (const [rank, { silence }] of this.group.connections) {
      if (silence > longestSilence) this.missing(rank, `sent no heartbeat for ${Math.round(silence)} seconds`);
    }
    for (const one of this.processes) {
      const seconds = one.stoppedFor(); // noticed before the patience with the others ends, which names no rank then
      if (seconds > this.patience / 2)
        this.notice(one.rank, { kind: 'missing', how: `has been stopped for ${Math.round(seconds)} seconds` });
    }
    this.decide();
  }

  private end(verdict: Verdict): void {
    if (this.ending) return;
    this.ending = true;
    clearInterval(this.timer);
    this.broadcast({ verdict });
    void Promise.all(this.processes.map((one) => one.end())).then(() => {
      for (const signal of signals) process.off(signal, this.onSignal);
      for (const connection of this.group.connections.values()) connection.close();
      this.resolve(verdict);
    });
  }

  private broadcast(message: object): void {
    for (const connection of this.group.connections.values()) connection.send(message);
  }
}

export interface SupervisorOptions {
  readonly local: LocalRanks;
  /** The command's own arguments: every rank is the same command again. */
  readonly args: readonly string[];
  /** Whether batch normalizations are over the shares of all ranks. */
  readonly synchronized: boolean;
  /** Seconds to wait for the other ranks at the start. */
  readonly wait: number;
  /** Seconds without an update after which the rank that is behind counts as hung. */
  readonly patience: number;
}

/**
 * Starts this command's ranks, and ends all of them once a rank of any machine ends early, hangs, or cannot be reached: a process that
 * waits in a collective cannot look after itself.
 *
 * @returns how the run ended
 * @throws {WeirError} where the ranks cannot join, or would share a GPU
 */
export async function supervise({ local, args, synchronized, wait, patience }: SupervisorOptions): Promise<Verdict> {
  const { ranks, own, rendezvous: address } = local;
  const oneMachine = address === undefined;
  const gpus = gpusOf(local, process.env, countGpus());
  const ports = await freePorts(own.length, oneMachine ? '127.0.0.1' : undefined);
  const group: SupervisorGroup = oneMachine
    ? {
        addresses: ports.map((port) => `127.0.0.1:${port}`),
        hosts: Array(ranks).fill(hostname()),
        connections: new Map(),
      }
    : await rendezvous(local, address, ports[0]!, wait);
  if (own.includes(0)) {
    const who = oneMachine ? 'a user of this machine who reaches' : 'anyone who reaches';
    toError(
      `weir: ${ranks} ranks; TensorFlow's gRPC between them asks for no password: ${who} ${group.addresses.join(', ')} reads and writes files as you\n`,
    );
  }
  const threads = oneMachine ? Math.max(1, Math.floor(availableParallelism() / ranks)) : undefined;
  const { addresses } = group;
  const processes = own.map((rank, i) => ({ rank, addresses, args, synchronized, threads, gpu: gpus[i] }));
  return new Supervisor(processes, group, patience).ended;
}

/** The error of a run whose ranks were stopped early; undefined where it ended in order. */
export function errorOf({ status, why }: Verdict): WeirError | undefined {
  if (why === undefined) return undefined;
  const remedy = status === resumable ? 'go on from the newest snapshot with `weir resume`' : undefined;
  return new WeirError(`${why}: all ranks were stopped`, remedy);
}
