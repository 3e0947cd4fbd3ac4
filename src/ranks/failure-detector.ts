import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { isRecord } from '../flow/data.js';
import { resumable } from '../run/process.js';
import type { ProcessExit, RankEvent, Verdict } from './messages.js';

const heartbeat = 1000; // milliseconds from one heartbeat to the next
const longest = 2 ** 16; // bytes of a message

/**
 * A connection between two supervisors: one JSON object a line, and a heartbeat every second. Emits 'message' with each object that is
 * not a heartbeat, and 'closed' once the connection is closed.
 */
export class HeartbeatConnection extends EventEmitter<{ message: [unknown]; closed: [] }> {
  private receivedAt = performance.now();
  private readonly timer = setInterval(() => this.send({ heartbeat: true }), heartbeat);
  private rest = '';

  constructor(private readonly socket: Socket) {
    super();
    socket.setNoDelay(true).setEncoding('utf8');
    socket.on('data', (text) => this.receive(String(text)));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearInterval(this.timer);
      this.emit('closed');
    });
  }

  /** Seconds since the last byte came. */
  get silence(): number {
    return (performance.now() - this.receivedAt) / 1000;
  }

  send(message: object): void {
    if (this.socket.writable) this.socket.write(`${JSON.stringify(message)}\n`);
  }

  /** Closes the connection once all that was sent has arrived. */
  close(): void {
    clearInterval(this.timer);
    this.socket.end();
    this.socket.unref();
  }

  /** Closes the connection at once. */
  destroy(): void {
    this.socket.destroy();
  }

  private receive(text: string): void {
    this.receivedAt = performance.now();
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop()!;
    if (this.rest.length > longest) this.socket.destroy();
    for (const line of lines) {
      const message = parsed(line);
      if (!isRecord(message)) {
        this.socket.destroy(); // the other end is no supervisor
        return;
      }
      if (!('heartbeat' in message)) this.emit('message', message);
    }
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** All that is known of one rank. */
interface RankHealth {
  readonly host: string;
  /** Its newest update; -1 before the first. */
  update: number;
  /** How many collectives it has begun. */
  calls: number;
  /** When its last report came, in milliseconds. */
  reportedAt: number;
  exit?: ProcessExit;
  /** Whether it ends because another rank is gone. */
  lost: boolean;
  missing?: string;
}

const firstUpdate = 1800; // seconds that a first update may take: downloads, data that are read whole, compilers
const interrupted: readonly unknown[] = [130, 143]; // statuses after a second SIGINT or SIGTERM

/**
 * Decides when and why a run of several ranks must end. A rank that ends by itself ends all of them; a rank that hangs is found as the
 * one that the others wait for in a collective. Depends on the events and the given time alone.
 */
export class FailureDetector {
  private readonly ranks: RankHealth[];
  /** The first reason that a rank gave for losing another. */
  private loss: string | undefined;

  /**
   * @param hosts name of each rank's machine
   * @param patience seconds without a report of any rank after which the rank that is behind counts as hung; at least half an hour until
   * every rank has had its first update
   * @param now milliseconds, here and below
   */
  constructor(
    hosts: readonly string[],
    private readonly patience: number,
    now: number,
  ) {
    this.ranks = hosts.map((host) => ({ host, update: -1, calls: 0, reportedAt: now, lost: false }));
  }

  /** Takes in an event of a rank. */
  notice(rank: number, event: RankEvent, now: number): void {
    const known = this.ranks[rank]!;
    if (event.kind === 'barrier') Object.assign(known, { update: event.update, reportedAt: now });
    else if (event.kind === 'collective') Object.assign(known, { calls: event.calls, reportedAt: now });
    else if (event.kind === 'lost') {
      known.lost = true;
      this.loss ??= event.why;
    } else if (event.kind === 'missing') known.missing ??= event.how;
    else known.exit = { status: event.status, signal: event.signal };
  }

  /** How the run ends, once it must end; all ranks are to be ended then. Undefined while it goes on. */
  verdict(now: number): Verdict | undefined {
    const { ranks } = this;
    const killed = ranks.find(({ exit }) => exit?.signal);
    if (killed) return { status: resumable, why: `${this.named(killed)} was ended by ${killed.exit!.signal}` };
    const failed = ranks.find(({ exit }) => exit && exit.status !== 0 && exit.status !== resumable);
    if (failed) {
      const status = Math.max(1, failed.exit!.status ?? 1); // below 0 where the process could not be started
      const how = interrupted.includes(status) ? 'was told twice to stop' : 'failed (its error is above)';
      return { status, why: `${this.named(failed)} ${how}` };
    }
    const missing = ranks.find((known) => known.missing !== undefined && !known.exit);
    if (missing) return { status: resumable, why: `${this.named(missing)} ${missing.missing}` };
    if (!ranks.every(({ exit }) => exit)) return this.hung(now);
    if (ranks.some(({ lost }) => lost)) return this.disconnected();
    return { status: ranks.some(({ exit }) => exit!.status === resumable) ? resumable : 0 };
  }

  private named(known: RankHealth): string {
    return `rank ${this.ranks.indexOf(known)} on ${known.host}`;
  }

  private disconnected(): Verdict {
    const reason = this.loss === undefined ? '' : ` (${this.loss})`;
    return { status: resumable, why: `the ranks lost each other${reason}` };
  }

  /** The verdict where no rank has reported for too long: it names the rank that the others wait for, where one is behind them. */
  private hung(now: number): Verdict | undefined {
    const { ranks, patience } = this;
    if (ranks.some(({ exit, lost }) => exit && !lost)) return undefined; // a rank is done: the others may write for long
    const seconds = (now - Math.max(...ranks.map(({ reportedAt }) => reportedAt))) / 1000;
    const ending = ranks.some(({ exit }) => exit);
    const begun = ranks.every(({ update }) => update >= 0);
    if (seconds < (begun || ending ? patience : Math.max(patience, firstUpdate))) return undefined;
    if (ending) return this.disconnected();
    const behind = ranks.reduce((least, known) => (known.calls < least.calls ? known : least));
    const who = ranks.every(({ calls }) => calls === behind.calls) ? 'no rank has' : `${this.named(behind)} has not`;
    const where = begun ? `passed update ${behind.update}` : 'reached its first update';
    return { status: resumable, why: `${who} ${where} for ${Math.round(seconds)} seconds` };
  }
}
