import { randomBytes } from 'node:crypto';
import type { Writable } from 'node:stream';

/** An event for all viewers: a name and plain data. */
export interface Broadcast {
  readonly event: string;
  readonly data: unknown;
}

interface Viewer {
  readonly out: Writable;
  /** Set while its connection takes no more: events are skipped meanwhile. */
  behind: number | undefined;
}

const history = { events: 256, bytes: 2 ** 20 }; // past events that a viewer that comes back can still be given
const backlog = 2 ** 20; // bytes that may wait for one viewer; then it is skipped
const patience = 30_000; // milliseconds after which a viewer that reads nothing is disconnected
const heartbeat = 15_000; // milliseconds

/**
 * Sends the same events to many viewers, as server-sent events.
 *
 * A new viewer gets `state()`, the whole state in a bounded form. A viewer that comes back with the id of the last event it saw gets the
 * events after it, or the state again where these are no longer there. Every event is made into text once, for all.
 * Bound: 1 MiB of past events, and for each viewer 1 MiB and a state that wait to be read. A slower viewer misses events and gets the
 * state when it has caught up; a viewer that reads nothing for 30 s is disconnected.
 */
export class Broadcaster {
  private readonly viewers = new Set<Viewer>();
  private readonly name = randomBytes(4).toString('hex'); // ids of another process mean nothing here
  private past: { readonly id: number; readonly text: string }[] = [];
  private pastBytes = 0;
  private id = 0;
  private whole: { readonly id: number; readonly text: string } | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly state: () => readonly Broadcast[],
    private readonly changed: (viewers: number) => void = () => undefined,
    private readonly wait = patience,
  ) {}

  get size(): number {
    return this.viewers.size;
  }

  /** Adds a viewer; `last` is the id that it saw last. */
  add(out: Writable, last?: string): void {
    const viewer: Viewer = { out, behind: undefined };
    this.viewers.add(viewer);
    out.on('close', () => this.drop(viewer));
    out.on('error', () => this.drop(viewer));
    out.on('drain', () => this.caughtUp(viewer));
    out.write('retry: 1000\n\n');
    this.write(viewer, this.since(last) ?? this.wholeText());
    this.timer ??= setInterval(() => this.sendHeartbeats(), Math.min(heartbeat, this.wait)).unref();
    this.changed(this.size);
  }

  send(event: Broadcast): void {
    const id = ++this.id;
    if (this.size === 0) {
      this.past = []; // no viewer missed it, and one that comes back gets the state
      this.pastBytes = 0;
      return;
    }
    const text = this.textOf(event, id);
    this.past.push({ id, text });
    this.pastBytes += text.length;
    while (this.past.length > history.events || (this.pastBytes > history.bytes && this.past.length > 0)) {
      this.pastBytes -= this.past.shift()!.text.length;
    }
    for (const viewer of this.viewers) if (viewer.behind === undefined) this.write(viewer, text);
  }

  /** Disconnects all viewers. */
  close(): void {
    clearInterval(this.timer);
    for (const { out } of this.viewers) out.end();
  }

  private write(viewer: Viewer, text: string): void {
    if (viewer.out.writableLength > backlog) viewer.behind ??= performance.now();
    else viewer.out.write(text);
  }

  private caughtUp(viewer: Viewer): void {
    if (viewer.behind === undefined) return;
    viewer.behind = undefined;
    this.write(viewer, this.wholeText());
  }

  private sendHeartbeats(): void {
    for (const viewer of this.viewers) {
      if (viewer.behind === undefined) this.write(viewer, ': still here\n\n');
      else if (performance.now() - viewer.behind > this.wait) viewer.out.destroy();
    }
  }

  private drop(viewer: Viewer): void {
    if (!this.viewers.delete(viewer)) return;
    if (this.size === 0) {
      clearInterval(this.timer);
      this.timer = undefined;
    }
    this.changed(this.size);
  }

  private since(last: string | undefined): string | undefined {
    const [name, number] = (last ?? '').split('-');
    const seen = Number(number);
    if (name !== this.name || !Number.isInteger(seen) || seen > this.id) return undefined;
    if (seen === this.id) return ': nothing new\n\n';
    if (this.past.length === 0 || this.past[0]!.id > seen + 1 || this.past.at(-1)!.id !== this.id) return undefined;
    return this.past.flatMap(({ id, text }) => (id > seen ? [text] : [])).join('');
  }

  /** The state as text, made once for all viewers between two events. */
  private wholeText(): string {
    if (this.whole?.id !== this.id) {
      const text = [{ event: 'begin', data: null }, ...this.state()]
        .map((event) => this.textOf(event, this.id))
        .join('');
      this.whole = { id: this.id, text };
    }
    return this.whole.text;
  }

  private textOf({ event, data }: Broadcast, id: number): string {
    return `id: ${this.name}-${id}\nevent: ${event}\ndata: ${JSON.stringify(data, rounded)}\n\n`;
  }
}

/** Six digits, more than a page can show; NaN and the infinities by name. */
const rounded = (_key: string, value: unknown): unknown => {
  if (typeof value !== 'number' || Number.isInteger(value)) return value;
  return Number.isFinite(value) ? Number(value.toPrecision(6)) : String(value);
};
