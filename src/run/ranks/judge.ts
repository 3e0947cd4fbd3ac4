import { resumable } from '../exit-status.js';
import type { End, Heard, Verdict } from './events.js';

/** What is known of one rank. */
interface Known {
  readonly host: string;
  update: number;
  /** How many collectives it has begun. */
  calls: number;
  heardAt: number;
  end?: End;
  /** It ends for want of another. */
  lost: boolean;
  missing?: string;
}

/**
 * Keeps what is heard of all ranks, and says when and why a run must end: a rank that ends by itself ends all, one that hangs is found by
 * what the others wait for. A function of what it is told and of the time alone.
 */
export class Judge {
  private readonly ranks: Known[];

  constructor(
    hosts: readonly string[],
    /** Seconds without an update, of any rank, after which the one that is behind counts as hung. */
    private readonly patience: number,
    now: number,
  ) {
    this.ranks = hosts.map((host) => ({ host, update: -1, calls: 0, heardAt: now, lost: false }));
  }

  hear(rank: number, heard: Heard, now: number): void {
    const known = this.ranks[rank]!;
    if (heard.kind === 'at') Object.assign(known, { update: heard.update, heardAt: now });
    else if (heard.kind === 'waits') Object.assign(known, { calls: heard.calls, heardAt: now });
    else if (heard.kind === 'lost') known.lost = true;
    else if (heard.kind === 'missing') known.missing ??= heard.how;
    else known.end = { status: heard.status, signal: heard.signal };
  }

  /** The end of the run, once it must end: all ranks are to be ended then. Undefined while it goes on. */
  verdict(now: number): Verdict | undefined {
    const { ranks } = this;
    const named = (known: Known): string => `rank ${ranks.indexOf(known)} on ${known.host}`;
    const killed = ranks.find(({ end }) => end?.signal);
    if (killed) return { status: resumable, why: `${named(killed)} was ended by ${killed.end!.signal}` };
    const failed = ranks.find(({ end }) => end && end.status !== 0 && end.status !== resumable);
    if (failed) return { status: failed.end!.status ?? 1, why: `${named(failed)} failed (its error is above)` };
    const missing = ranks.find((known) => known.missing !== undefined && !known.end);
    if (missing) return { status: resumable, why: `${named(missing)} ${missing.missing}` };
    if (ranks.every(({ end }) => end)) {
      if (ranks.some(({ lost }) => lost)) return { status: resumable, why: 'the ranks lost each other' };
      return { status: ranks.some(({ end }) => end!.status === resumable) ? resumable : 0 };
    }
    return this.hung(now);
  }

  /** All have begun, one is behind the others, and none has come further for a while. */
  private hung(now: number): Verdict | undefined {
    const { ranks } = this;
    const seconds = (now - Math.max(...ranks.map(({ heardAt }) => heardAt))) / 1000;
    if (seconds < this.patience || ranks.some(({ end, update }) => end || update < 0)) return undefined;
    const behind = ranks.reduce((least, known) => (known.calls < least.calls ? known : least));
    const who = ranks.every(({ calls }) => calls === behind.calls)
      ? 'no rank'
      : `rank ${ranks.indexOf(behind)} on ${behind.host}`;
    const stuck = who === 'no rank' ? 'has come' : 'has not come';
    return {
      status: resumable,
      why: `${who} ${stuck} past update ${behind.update} for ${Math.round(seconds)} seconds`,
    };
  }
}
