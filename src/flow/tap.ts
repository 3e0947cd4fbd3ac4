import { type MonoTypeOperatorFunction, tap as rxTap } from 'rxjs';
import { soon } from '../surroundings/surroundings.js';
import { type Data, plainCopy } from './data.js';
import { WeirError } from './errors.js';
import { checkOptions, checkUnused } from './options.js';

/** The items that a tap keeps while its reader is busy: the newest; of every k-th item the newest; or the newest n. */
export type TapPolicy =
  | { readonly keep: 'latest' }
  | { readonly keep: 'sample'; readonly every: number }
  | { readonly keep: 'buffer'; readonly size: number };

/** Reads the items of a tap one at a time; the next is handed over when it is done. */
export type TapReader = (item: Data) => void | PromiseLike<void>;

/** A tap with its counts. */
export class Tap {
  /** Items that came, that were read, and that were dropped. */
  seen = 0;
  read = 0;
  dropped = 0;
  private readonly queue: unknown[] = [];
  private reading = false;
  private readonly size: number;
  private readonly every: number;

  constructor(
    readonly name: string,
    policy: TapPolicy,
    private readonly reader: TapReader,
  ) {
    this.size = policy.keep === 'buffer' ? policy.size : 1;
    this.every = policy.keep === 'sample' ? policy.every : 1;
    for (const [key, value] of [
      ['size', this.size],
      ['every', this.every],
    ] as const) {
      if (Number.isInteger(value) && value >= 1) continue;
      throw new WeirError(`tap '${name}' has ${key} ${value}`, `${key} must be a whole number from 1 on`);
    }
  }

  /** Keeps the item, which nobody changes once it is handed on, and never waits; the copy is made when it is read. */
  see(item: unknown): void {
    if (this.seen++ % this.every !== 0) return;
    if (this.queue.length === this.size) {
      this.queue.shift();
      this.dropped++;
    }
    this.queue.push(item);
    if (this.reading) return;
    this.reading = true;
    soon(() => void this.drain());
  }

  private async drain(): Promise<void> {
    while (this.queue.length > 0) {
      try {
        await this.reader(plainCopy(this.queue.shift()));
        this.read++;
      } catch {
        this.dropped++; // a reader that fails, or an item that holds itself, costs an item, and the run nothing
      }
    }
    this.reading = false;
  }
}

/**
 * Gives a reader copies of the plain data of a stream, when the event loop comes round to it. The run never waits for the reader.
 *
 * Bound: the items that the policy keeps. Order: that of the items, with gaps. State: none. Failure: a reader that throws or never returns loses
 * items, which are counted, and holds up nothing.
 *
 * @example batches$.pipe(tap('batches', { keep: 'latest' }, (batch) => console.log(batch)))
 */
export function tap<T>(name: string, policy: TapPolicy, reader: TapReader): MonoTypeOperatorFunction<T> {
  checkOptions<{ readonly keep: string; readonly every?: number; readonly size?: number }>(`tap '${name}'`, policy, {
    keep: 'required',
    every: 'optional',
    size: 'optional',
  });
  const used = policy.keep === 'sample' ? 'every' : policy.keep === 'buffer' ? 'size' : undefined;
  const unused = ['every', 'size'].filter((key) => key !== used);
  checkUnused(`tap '${name}'`, policy, unused, `keep: '${policy.keep}' takes ${used === undefined ? 'neither' : used}`);
  const one = new Tap(name, policy, reader);
  return rxTap((item) => one.see(item));
}
