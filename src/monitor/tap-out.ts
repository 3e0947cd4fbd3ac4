import type { ServerResponse } from 'node:http';
import type { TapItem } from './messages.js';
import { head, refuse } from './monitor-server.js';
import { type ArraysAs, toWire } from './wire.js';

/**
 * The answer to who asked for a tap: a line of JSON for each item, as fast as it is read, and a last one that counts.
 *
 * Bound: one item, for the next one comes when this one has been taken.
 */
export class TapOut {
  constructor(
    private readonly out: ServerResponse,
    private readonly arrays: ArraysAs,
    private readonly taken: () => void,
  ) {}

  /** The tap is in place, or why it is not. */
  begin(refused?: { readonly message: string; readonly remedy: string }): void {
    if (refused !== undefined) {
      refuse(this.out, 404, refused.message, refused.remedy);
      return;
    }
    head(this.out, 'application/x-ndjson; charset=utf-8');
    this.out.flushHeaders();
  }

  item({ position, time, dropped, item }: TapItem): void {
    const head = { position, time: Math.round(time * 1000) / 1000, dropped };
    let line: string;
    try {
      line = JSON.stringify({ ...head, item: toWire(item, this.arrays) });
    } catch {
      this.out.destroy(); // longer than a text may be: half a gigabyte
      return;
    }
    if (this.out.write(`${line}\n`)) this.taken();
    else this.out.once('drain', this.taken);
  }

  /** The run, or the graph that had the edge, is over. */
  end(counts: { readonly seen: number; readonly dropped: number } | undefined): void {
    if (!this.out.headersSent) {
      refuse(this.out, 503, 'the run has ended');
      return;
    }
    if (counts !== undefined)
      this.out.write(`${JSON.stringify({ end: true, seen: counts.seen, dropped: counts.dropped })}\n`);
    this.out.end();
  }
}
