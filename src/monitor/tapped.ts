import { reach } from './monitor-client.js';
import type { ArraysAs } from './wire.js';

export interface TapAsked {
  readonly edge: string;
  /** `latest`, `sample:EVERY` or `buffer:SIZE`. */
  readonly policy: string;
  readonly rate?: number;
  readonly arrays: ArraysAs;
}

/** A line of a tap: an item as JSON, and how many had to make way until then. */
export interface TapLine {
  readonly position: number;
  readonly time: number;
  readonly dropped: number;
  readonly item: unknown;
}

/**
 * What passes an edge of a run that is under way, item by item, until the run ends or `close`.
 *
 * @throws {WeirError} where the run cannot be reached, or has no such edge (it lists those that there are)
 */
export async function tapped(
  run: string,
  { edge, policy, rate, arrays }: TapAsked,
): Promise<{ readonly items: AsyncIterable<TapLine>; close(): void }> {
  const query = new URLSearchParams({ edge, policy, arrays, ...(rate !== undefined && { rate: String(rate) }) });
  const { lines, close } = await reach(run, 'GET', `/api/tap?${query}`);
  async function* items(): AsyncGenerator<TapLine> {
    try {
      for await (const line of lines) {
        const parsed = JSON.parse(line) as TapLine | { readonly end: true };
        if ('end' in parsed) return;
        yield parsed;
      }
    } catch (error) {
      // The process was killed: what came is all there is.
      if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
    }
  }
  return { items: items(), close };
}
