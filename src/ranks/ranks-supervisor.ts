import { resumable } from '../run/exit-status.js';
import type { RankEvent, Verdict } from './events.js';
import { FailureDetector } from './judge.js';
import type { ProcessGroup } from './met.js';
import { type RankOptions, RankProcess } from './rank-process.js';
import { fields, rankEventOf, verdictOf } from './ranks-messages.js';

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
    private readonly met: ProcessGroup,
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
