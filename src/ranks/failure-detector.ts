import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { isRecord } from '../flow/data.js';
import { resumable } from '../run/process.js';
import type { ProcessExit, RankEvent, Verdict } from './messages.js';

const beat = 1000; // milliseconds
const longest = 2 ** 16; // bytes of a message

/**
 * A line between two supervisors: JSON by lines, and a beat every second, so that each hears that the other is there. Emits 'said' with
 * what the other says, and 'gone' when the line is closed.
 */
export class HeartbeatConnection extends EventEmitter<{ said: [unknown]; gone: [] }> {
  private heardAt = performance.now();
  private readonly beating = setInterval(() => this.send({ beat: true }), beat);
  private waiting = '';

  constructor(private readonly socket: Socket) {
    super();
    socket.setNoDelay(true).setEncoding('utf8');
    socket.on('data', (text) => this.take(String(text)));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearInterval(this.beating);
      this.emit('gone');
    });
  }

  /** Seconds since the other was heard last. */
  get silence(): number {
    return (performance.now() - this.heardAt) / 1000;
  }

  send(message: object): void {
    if (this.socket.writable) this.socket.write(`${JSON.stringify(message)}\n`);
  }

  /** Closes the line once what was sent is through. */
  close(): void {
    clearInterval(this.beating);
    this.socket.end();
    this.socket.unref();
  }

  /** Closes the line at once. */
  destroy(): void {
    this.socket.destroy();
  }

  private take(text: string): void {
    this.heardAt = performance.now();
    const lines = (this.waiting + text).split('\n');
    this.waiting = lines.pop()!;
    if (this.waiting.length > longest) this.socket.destroy();
    for (const line of lines) {
      let message: unknown;
      try {
        message = JSON.parse(line);
      } catch {
        this.socket.destroy(); // whoever that is, it is no supervisor
        return;
      }
      if (isRecord(message) && !('beat' in message)) this.emit('said', message);
    }
  }
}

/** What is known of one rank. */
interface RankHealth {
  readonly host: string;
  update: number;
  /** How many collectives it has begun. */
  calls: number;
  heardAt: number;
  end?: ProcessExit;
  /** It ends for want of another. */
  lost: boolean;
  missing?: string;
}

const toBegin = 1800; // seconds: a first update waits for downloads, data that are read whole, and compilers
const interrupted: readonly unknown[] = [130, 143]; // by a second SIGINT or SIGTERM

/**
 * Keeps what is heard of all ranks, and says when and why a run must end: a rank that ends by itself ends all, one that hangs is found by
 * what the others wait for. A function of what it is told and of the time alone.
 */
export class FailureDetector {
  private readonly ranks: RankHealth[];
  /** The first reason that a rank gave for having lost another. */
  private loss: string | undefined;

  constructor(
    hosts: readonly string[],
    /** Seconds without an update, of any rank, after which the one that is behind counts as hung; half an hour at least until all had one. */
    private readonly patience: number,
    now: number,
  ) {
    this.ranks = hosts.map((host) => ({ host, update: -1, calls: 0, heardAt: now, lost: false }));
  }

  hear(rank: number, heard: RankEvent, now: number): void {
    const known = this.ranks[rank]!;
    if (heard.kind === 'at') Object.assign(known, { update: heard.update, heardAt: now });
    else if (heard.kind === 'waits') Object.assign(known, { calls: heard.calls, heardAt: now });
    else if (heard.kind === 'lost') {
      known.lost = true;
      this.loss ??= heard.why;
    } else if (heard.kind === 'missing') known.missing ??= heard.how;
    else known.end = { status: heard.status, signal: heard.signal };
  }

  /** The end of the run, once it must end: all ranks are to be ended then. Undefined while it goes on. */
  verdict(now: number): Verdict | undefined {
    const { ranks } = this;
    const killed = ranks.find(({ end }) => end?.signal);
    if (killed) return { status: resumable, why: `${this.named(killed)} was ended by ${killed.end!.signal}` };
    const failed = ranks.find(({ end }) => end && end.status !== 0 && end.status !== resumable);
    if (failed) {
      const status = Math.max(1, failed.end!.status ?? 1); // below 0 where it was not started
      const how = interrupted.includes(status) ? 'was told twice to stop' : 'failed (its error is above)';
      return { status, why: `${this.named(failed)} ${how}` };
    }
    const missing = ranks.find((known) => known.missing !== undefined && !known.end);
    if (missing) return { status: resumable, why: `${this.named(missing)} ${missing.missing}` };
    if (!ranks.every(({ end }) => end)) return this.hung(now);
    if (ranks.some(({ lost }) => lost)) return this.apart();
    return { status: ranks.some(({ end }) => end!.status === resumable) ? resumable : 0 };
  }

  private named(known: RankHealth): string {
    return `rank ${this.ranks.indexOf(known)} on ${known.host}`;
  }

  private apart(): Verdict {
    const reason = this.loss === undefined ? '' : ` (${this.loss})`;
    return { status: resumable, why: `the ranks lost each other${reason}` };
  }

  /** None has come further for a while: the one that the others wait for, where one is behind them. */
  private hung(now: number): Verdict | undefined {
    const { ranks, patience } = this;
    if (ranks.some(({ end, lost }) => end && !lost)) return undefined; // done: what the others write after it may take long
    const seconds = (now - Math.max(...ranks.map(({ heardAt }) => heardAt))) / 1000;
    const apart = ranks.some(({ end }) => end);
    const begun = ranks.every(({ update }) => update >= 0);
    if (seconds < (begun || apart ? patience : Math.max(patience, toBegin))) return undefined;
    if (apart) return this.apart();
    const behind = ranks.reduce((least, known) => (known.calls < least.calls ? known : least));
    const who = ranks.every(({ calls }) => calls === behind.calls) ? 'no rank has' : `${this.named(behind)} has not`;
    const where = begun ? `past update ${behind.update}` : 'to its first update';
    return { status: resumable, why: `${who} come ${where} for ${Math.round(seconds)} seconds` };
  }
}
