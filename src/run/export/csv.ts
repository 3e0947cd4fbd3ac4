import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { WeirError } from '../../core/errors.js';
import { csvOf } from '../../observe/metrics-csv.js';
import type { MetricRecord } from '../../observe/metrics-log.js';

export interface CsvOptions {
  /** Take the records of this stream alone. */
  readonly stream?: string | undefined;
  readonly network?: string | undefined;
}

const bufferCharacters = 2 ** 16;

/**
 * Writes records as CSV beside the file, then in its place.
 *
 * @param records gives them anew each time
 * @returns how many rows there are
 * @throws {WeirError} where no record is of the stream or network asked for, with those there are
 */
export function exportCsv(
  file: string,
  records: () => Iterable<MetricRecord>,
  { stream, network }: CsvOptions,
): number {
  const seen = { stream: new Set<string>(), network: new Set<string>() };
  function* wanted(): Generator<MetricRecord> {
    for (const record of records()) {
      seen.stream.add(String(record.stream));
      seen.network.add(String(record.network));
      if (stream !== undefined && record.stream !== stream) continue;
      if (network !== undefined && record.network !== network) continue;
      yield record;
    }
  }
  const part = `${file}.part`;
  let rows = -1; // the head is none
  try {
    const handle = openSync(part, 'w');
    try {
      let waiting = '';
      const flush = (): void => {
        const bytes = Buffer.from(waiting);
        for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
        waiting = '';
      };
      for (const line of csvOf(wanted)) {
        waiting += line;
        rows++;
        if (waiting.length >= bufferCharacters) flush();
      }
      if (rows === 0) throw nothing(seen, stream, network);
      flush();
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(part, file);
    return rows;
  } catch (cause) {
    rmSync(part, { force: true });
    if (cause instanceof WeirError) throw cause;
    throw new WeirError(
      `cannot write ${file}: ${(cause as Error).message}`,
      'give a file in a folder that can be written to',
      {
        cause,
      },
    );
  }
}

function nothing(
  seen: Readonly<Record<'stream' | 'network', ReadonlySet<string>>>,
  stream: string | undefined,
  network: string | undefined,
): WeirError {
  const asked = [stream && `stream '${stream}'`, network && `network '${network}'`].filter(Boolean).join(' and ');
  if (seen.stream.size === 0)
    return new WeirError('the metric log is empty', 'export it when the run has got under way');
  return new WeirError(
    `the metric log has nothing of ${asked}`,
    `its streams are ${[...seen.stream].join(', ')}; its networks ${[...seen.network].join(', ')}`,
  );
}
