import { WeirError } from '../flow/errors.js';
import { RunFolder } from '../storage/run-folder.js';
import { type Broadcast, Broadcaster } from './broadcaster.js';
import { reach } from './client.js';
import type { LogNews } from './curves.js';
import type { Readings } from './exposition.js';
import { LogFollower } from './log-follower.js';
import type { Action, Going, LivePulse } from './messages.js';
import { aboutRun, reportOf, runBeside, runStatus, runsBeside, snapshotsOf, writtenOf } from './run-summary.js';
import type { Served } from './server.js';

const every = { log: 500, files: 2000, runs: 10_000 }; // milliseconds
const maxNeighbors = 4;
const pulsePatience = 2000; // milliseconds that a scraper waits for a pulse: a longer update is in the next reading

/**
 * All that the page shows of a run: the run's files, read as they grow and only while there is a viewer, and the newest event of each
 * name that the running process publishes.
 *
 * Bound: that of the log's follower, for this run and the last four others that were compared; one event of each name.
 */
export class ViewModel {
  readonly events: Broadcaster;
  /** The events of the running process alone, without those made of files. */
  readonly live: Broadcaster;
  private readonly about: ReturnType<typeof aboutRun>;
  private readonly log: LogFollower;
  /** The newest event of each name: of the running process, and, as text, of those made of files. */
  private readonly ofProcess = new Map<string, unknown>();
  private readonly ofFiles = new Map<string, string>();
  private readonly neighbors = new Map<string, LogFollower>();
  private timers: NodeJS.Timeout[] = [];
  private readers = 0;
  private onPulse: () => void = () => undefined;
  private epoch = 0;

  /** @param watching is called with the number of viewers when it changes */
  constructor(
    private readonly path: string,
    private readonly watching?: (viewers: number) => void,
  ) {
    this.about = aboutRun(path);
    this.log = follow(path);
    const changed = (): void => this.changed();
    this.events = new Broadcaster(() => this.state(), changed);
    this.live = new Broadcaster(() => [...this.ofProcess].map(([event, data]) => ({ event, data })), changed);
  }

  /** What a server of this run serves of it: all that is read, and nothing that acts. */
  get served(): Pick<Served, 'events' | 'live' | 'neighbor' | 'readings' | 'report'> {
    const { events, live, path } = this;
    return {
      events,
      live,
      neighbor: (name) => this.neighbor(name),
      readings: () => this.readings(),
      report: () => reportOf(path),
    };
  }

  /** Takes in an event of the running process. */
  publish(event: string, data: unknown): void {
    this.ofProcess.set(event, data);
    if (event === 'pulse') this.onPulse();
    this.events.send({ event, data });
    this.live.send({ event, data });
  }

  /** Withdraws the events of the running process, which has ended. */
  disconnected(): void {
    for (const event of this.ofProcess.keys()) this.events.send({ event, data: null });
    this.ofProcess.clear();
  }

  /** The curves of a run beside this one. */
  async neighbor(name: string): Promise<LogNews | undefined> {
    const path = runBeside(this.path, name);
    if (path === undefined) return undefined;
    const known = this.neighbors.get(name) ?? follow(path);
    this.neighbors.delete(name);
    this.neighbors.set(name, known);
    if (this.neighbors.size > maxNeighbors) this.neighbors.delete(this.neighbors.keys().next().value!);
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
      const going = this.ofProcess.get('going') as Going | undefined;
      const pulse = this.ofProcess.get('pulse') as LivePulse | undefined;
      return {
        run,
        pipeline,
        seed,
        pulse,
        state: going?.state ?? status?.state ?? 'unknown',
        at: status?.network
          ? { network: status.network.name, update: status.update ?? 0, epoch: status.epoch ?? 0 }
          : null,
        newest: this.log.newest,
        sampled: this.log.newestSamples,
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
      ...[...this.ofFiles].map(([event, text]) => ({ event, data: JSON.parse(text) as unknown })),
      ...[...this.ofProcess].map(([event, data]) => ({ event, data })),
      { event: 'log', data: this.logAs(this.log.whole, 0) },
    ];
  }

  private get watchers(): number {
    return this.events.size + this.live.size + this.readers;
  }

  /** Resolves at the next pulse of the training thread, or after 2 s without one. */
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
        const update = (): void => {
          if (busy) return;
          busy = true;
          work()
            .catch(() => undefined) // a file that is being replaced is there at the next look
            .finally(() => {
              busy = false;
            });
        };
        setImmediate(update);
        this.timers.push(setInterval(update, wait).unref());
      };
      repeat(every.files, () => this.readFiles());
      repeat(every.log, () => this.follow());
      repeat(every.runs, async () => this.publishChanged('runs', await runsBeside(this.path)));
      this.timers.push(setInterval(() => this.news(), every.log).unref()); // also while a long log is being read
    }
  }

  private async readFiles(): Promise<void> {
    this.publishChanged('status', (await runStatus(this.path)) ?? null);
    this.publishChanged('snapshots', snapshotsOf(this.path));
  }

  private publishChanged(event: string, data: unknown): void {
    const text = JSON.stringify(data);
    if (this.ofFiles.get(event) === text) return;
    this.ofFiles.set(event, text);
    this.events.send({ event, data });
  }

  private async follow(): Promise<void> {
    await this.log.follow();
    this.news();
  }

  private news(): void {
    if (this.log.epoch !== this.epoch) {
      this.epoch = this.log.epoch; // cut back and read anew: viewers begin again
      this.events.send({ event: 'log', data: this.logAs(this.log.whole, 0) });
    }
    const before = this.log.samplesHandedOut;
    const news = this.log.news();
    if (news.curves.length + news.samples.length > 0)
      this.events.send({ event: 'points', data: this.logAs(news, before) });
  }

  private logAs(news: LogNews, samplesFrom: number) {
    const { read, size, omitted } = this.log;
    return { ...news, samplesFrom, read, size, omitted };
  }
}

/** Follows the metric log of a run. */
function follow(path: string): LogFollower {
  const folder = RunFolder.open(path);
  return new LogFollower(folder.log, () => folder.streams);
}

const pause = 2000; // milliseconds between two tries

/**
 * Brings the events of a running process, through its socket, into the view model of another process. Where nothing runs, or the run is
 * another user's, it tries again every 2 s.
 *
 * @returns a function that ends it
 */
export function relay(run: string, view: ViewModel): () => void {
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
        else if (line.startsWith('data: ') && event !== 'begin') view.publish(event, JSON.parse(line.slice(6)));
      }
    } catch {
      // not running, or out of reach: its files are shown
    }
    view.disconnected();
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
