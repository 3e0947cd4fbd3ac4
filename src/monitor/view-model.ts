import { join } from 'node:path';
import { WeirError } from '../flow/errors.js';
import { type Broadcast, Broadcaster } from './broadcaster.js';
import { reach } from './client.js';
import type { LogNews } from './curves.js';
import type { Readings } from './exposition.js';
import { LogFollower } from './log-follower.js';
import type { Action, Going, LivePulse } from './messages.js';
import { aboutRun, runBeside, runStatus, runsBeside, snapshotsOf, writtenOf } from './run-summary.js';

const every = { log: 500, facts: 2000, runs: 10_000 }; // milliseconds
const neighborsKept = 4;
const pulsePatience = 2000; // milliseconds that a scraper waits for a pulse: a long update is told of at the next reading

/**
 * All that the page shows of a run: what is in its files, read as it grows and only while somebody watches, and the newest of what
 * the running process tells.
 *
 * Bound: that of the log's follower, for this run and the last four others that were compared; the newest of each thing told.
 */
export class ViewModel {
  readonly events: Broadcaster;
  /** What the running process tells, and nothing from files. */
  readonly live: Broadcaster;
  private readonly about: ReturnType<typeof aboutRun>;
  private readonly log: LogFollower;
  private readonly newest = new Map<string, unknown>();
  private readonly told = new Map<string, string>();
  private readonly neighbors = new Map<string, LogFollower>();
  private timers: NodeJS.Timeout[] = [];
  private readers = 0;
  private onPulse: () => void = () => undefined;
  private epoch = 0;

  /** @param watching is told how many watch, when that changes */
  constructor(
    private readonly path: string,
    private readonly watching?: (viewers: number) => void,
  ) {
    this.about = aboutRun(path);
    this.log = new LogFollower(join(path, 'metrics.ndjson'));
    const changed = (): void => this.changed();
    this.events = new Broadcaster(() => this.state(), changed);
    this.live = new Broadcaster(() => [...this.newest].map(([event, data]) => ({ event, data })), changed);
  }

  /** Something that the running process tells. */
  tell(event: string, data: unknown): void {
    this.newest.set(event, data);
    if (event === 'pulse') this.onPulse();
    this.events.tell({ event, data });
    this.live.tell({ event, data });
  }

  /** The running process is gone: what it told last is no more. */
  gone(): void {
    for (const event of this.newest.keys()) this.events.tell({ event, data: null });
    this.newest.clear();
  }

  /** The curves of a run beside this one. */
  async neighbor(name: string): Promise<LogNews | undefined> {
    const path = runBeside(this.path, name);
    if (path === undefined) return undefined;
    const known = this.neighbors.get(name) ?? new LogFollower(join(path, 'metrics.ndjson'));
    this.neighbors.delete(name);
    this.neighbors.set(name, known);
    if (this.neighbors.size > neighborsKept) this.neighbors.delete(this.neighbors.keys().next().value!);
    await known.follow();
    return known.whole;
  }

  /** Where the run stands now. Nothing is measured between two readings: each is of the time since the one before it. */
  async readings(): Promise<Readings> {
    const unwatched = this.watching !== undefined && this.watchers === 0;
    this.readers++;
    this.changed();
    try {
      const pulsed = unwatched && this.nextPulse();
      const [status] = await Promise.all([runStatus(this.path), this.log.follow(), pulsed]);
      const { name: run, pipeline, seed } = this.about;
      const going = this.newest.get('going') as Going | undefined;
      const pulse = this.newest.get('pulse') as LivePulse | undefined;
      return {
        ...{ run, pipeline, seed, pulse, state: going?.state ?? status?.state ?? 'unknown' },
        at: status?.network
          ? { network: status.network.name, update: status.update ?? 0, epoch: status.epoch ?? 0 }
          : null,
        newest: this.log.newest,
        snapshots: writtenOf(this.path),
        viewers: this.events.size + this.live.size,
      };
    } finally {
      this.readers--;
      this.changed();
    }
  }

  close(): void {
    for (const timer of this.timers.splice(0)) clearInterval(timer);
    this.events.close();
    this.live.close();
  }

  private state(): Broadcast[] {
    return [
      { event: 'about', data: this.about },
      ...[...this.told].map(([event, text]) => ({ event, data: JSON.parse(text) as unknown })),
      ...[...this.newest].map(([event, data]) => ({ event, data })),
      { event: 'log', data: this.logAs(this.log.whole, 0) },
    ];
  }

  private get watchers(): number {
    return this.events.size + this.live.size + this.readers;
  }

  /** Resolves when the training thread has told how it goes, or has been waited for. */
  private nextPulse(): Promise<void> {
    return new Promise((resolve) => {
      this.onPulse = resolve;
      setTimeout(resolve, pulsePatience).unref();
    });
  }

  private changed(): void {
    this.watching?.(this.watchers);
    if (this.events.size === 0) for (const timer of this.timers.splice(0)) clearInterval(timer);
    else if (this.timers.length === 0) {
      const repeat = (wait: number, work: () => Promise<void>): void => {
        let busy = false;
        const look = (): void => {
          if (busy) return;
          busy = true;
          work()
            .catch(() => undefined) // a file that is being replaced is there at the next look
            .finally(() => {
              busy = false;
            });
        };
        setImmediate(look);
        this.timers.push(setInterval(look, wait).unref());
      };
      repeat(every.facts, () => this.facts());
      repeat(every.log, () => this.follow());
      repeat(every.runs, async () => this.fact('runs', await runsBeside(this.path)));
      this.timers.push(setInterval(() => this.news(), every.log).unref()); // also while a long log is being read
    }
  }

  private async facts(): Promise<void> {
    this.fact('status', (await runStatus(this.path)) ?? null);
    this.fact('snapshots', snapshotsOf(this.path));
  }

  /** Tells it where it is another than before. */
  private fact(event: string, data: unknown): void {
    const text = JSON.stringify(data);
    if (this.told.get(event) === text) return;
    this.told.set(event, text);
    this.events.tell({ event, data });
  }

  private async follow(): Promise<void> {
    await this.log.follow();
    this.news();
  }

  private news(): void {
    if (this.log.epoch !== this.epoch) {
      this.epoch = this.log.epoch; // cut back and read anew: what viewers have is void
      this.events.tell({ event: 'log', data: this.logAs(this.log.whole, 0) });
    }
    const before = this.log.attacksTold;
    const news = this.log.news();
    if (news.curves.length + news.attacks.length > 0)
      this.events.tell({ event: 'points', data: this.logAs(news, before) });
  }

  private logAs({ curves, attacks }: LogNews, attacksFrom: number) {
    const { read, size, omitted } = this.log;
    return { curves, attacks, attacksFrom, read, size, omitted };
  }
}

const pause = 2000; // milliseconds between two tries

/**
 * Brings what a running process tells into a scene that another process shows, through its socket; where nothing runs, or it is
 * another user's, tries again now and then.
 *
 * @returns what ends it
 */
export function relay(run: string, scene: ViewModel): () => void {
  let over = false;
  let close: () => void = () => undefined;
  let timer: NodeJS.Timeout | undefined;
  const go = async (): Promise<void> => {
    try {
      const live = await reach(run, 'GET', '/api/live');
      close = live.close;
      let event = '';
      for await (const line of live.lines) {
        if (line.startsWith('event: ')) event = line.slice(7);
        else if (line.startsWith('data: ') && event !== 'begin') scene.tell(event, JSON.parse(line.slice(6)));
      }
    } catch {
      // not running, or not to be reached: its files are shown
    }
    scene.gone();
    if (!over) timer = setTimeout(() => void go(), pause).unref();
  };
  void go();
  return () => {
    over = true;
    clearTimeout(timer);
    close();
  };
}

/** Asks the running process. @returns false where it does not answer */
export async function ask(run: string, action: Action): Promise<boolean> {
  try {
    (await reach(run, 'POST', `/api/do/${action}`)).close();
    return true;
  } catch (error) {
    if (error instanceof WeirError) return false;
    throw error;
  }
}
