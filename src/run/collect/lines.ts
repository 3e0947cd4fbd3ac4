import type { Data } from '../../flow/core-data.js';
import { decoded } from '../../storage/journal.js';

/** A line of the metric log. */
export type Line = { readonly [field: string]: Data };

/** The number in a field, or null where there is none. */
export const number = (line: Line, field: string): number | null =>
  typeof line[field] === 'number' ? (line[field] as number) : null;

/** The array in a field; empty where it was not kept. */
export const array = (line: Line, field: string): Float32Array => decoded(line[field]) ?? new Float32Array(0);

/** The lines of one network, by stream. */
export class Lines {
  private readonly streams = new Map<string, Line[]>();

  constructor(lines: readonly Line[]) {
    for (const line of lines) {
      const known = this.streams.get(String(line.stream));
      if (known === undefined) this.streams.set(String(line.stream), [line]);
      else known.push(line);
    }
  }

  of(stream: string): readonly Line[] {
    return this.streams.get(stream) ?? [];
  }
}
