import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import type { MetricRecord } from '../storage/metrics-log.js';
import { type Choice, Chosen } from './chosen.js';
import { inPlace } from './in-place.js';
import { csvOf } from './metrics-csv.js';

const bufferCharacters = 2 ** 16;

/**
 * Writes records as CSV.
 *
 * @param records gives them anew each time
 * @returns how many rows there are
 * @throws {WeirError} where no record is of the stream or network asked for, with those there are
 */
export function exportCsv(file: string, records: () => Iterable<MetricRecord>, choice: Choice): number {
  const chosen = new Chosen(records, choice);
  return inPlace(file, (part) => {
    const handle = openSync(part, 'w');
    try {
      let rows = -1; // the head is none
      let waiting = '';
      const flush = (): void => {
        const bytes = Buffer.from(waiting);
        for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
        waiting = '';
      };
      for (const line of csvOf(() => chosen)) {
        waiting += line;
        rows++;
        if (waiting.length >= bufferCharacters) flush();
      }
      if (rows === 0) throw chosen.nothing;
      flush();
      fsyncSync(handle);
      return rows;
    } finally {
      closeSync(handle);
    }
  });
}
