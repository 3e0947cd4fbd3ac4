import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Data } from '../flow/data.js';
import { onDisk } from './disk.js';
import { readRecording } from './recording-reader.js';
import { RecordingWriter } from './recording-writer.js';

/**
 * The records of a run whose arrays are kept whole, beside the metric log, which keeps those of the first few: a recording for each network
 * and stream, `arrays/NETWORK/STREAM.weirrec`. The position of an item is its number among the stream's items with arrays, from 1 on.
 *
 * @module
 */

/** A record with arrays, as it is kept: network and stream, the fields of its line in the log, and the arrays. */
export interface KeptRecord {
  readonly network: string;
  readonly stream: string;
  readonly [field: string]: Data;
}

const folderOf = (run: string): string => join(run, 'arrays');
const fileOf = (run: string, network: string, stream: string): string =>
  join(folderOf(run), network, `${stream}.weirrec`);

/**
 * Keeps the records of one network's graph.
 *
 * State: none of its own. The log's stage counts its items, and the first one after a resume says where its recording is cut back to.
 * Bound: 1 MiB a stream until `flush`. Failure: a disk that takes no more.
 */
export class ArrayKeeper {
  private readonly open = new Map<string, RecordingWriter>();

  /** @param about the run: its folder, its pipeline, and when it was created @param network of the graph */
  constructor(
    private readonly about: { readonly path: string; readonly pipeline: string; readonly createdAt: string },
    private readonly network: string,
  ) {}

  /** @param number of the record among those of its stream that have arrays, from 1 on */
  append(number: number, record: KeptRecord): void {
    const { stream } = record;
    const recording = this.open.get(stream) ?? this.begun(stream, number);
    this.open.set(stream, recording);
    recording.append(number, 0, record);
  }

  private begun(stream: string, number: number): RecordingWriter {
    const { path, pipeline, createdAt } = this.about;
    const file = fileOf(path, this.network, stream);
    if (number > 1 && existsSync(file)) return RecordingWriter.continue(file, number - 1);
    onDisk(`write ${file}`, () => {
      mkdirSync(dirname(file), { recursive: true });
      rmSync(file, { force: true });
    });
    return RecordingWriter.create(file, { edge: stream, pipeline, createdAt });
  }

  /** Waits until all is on the disk: before the snapshot that counts it. */
  flush(): void {
    for (const recording of this.open.values()) recording.flush({ sync: true });
  }

  /** Marks the recordings as complete, for their streams have ended, and closes them. */
  end(): void {
    for (const recording of this.open.values()) recording.end();
    this.open.clear();
  }

  /** Closes the recordings where the run stops before its end. It throws no error: `append` and `flush` tell of the disk. */
  close(): void {
    for (const recording of this.open.values()) {
      try {
        recording.close();
      } catch {
        // The error that ends the run is told before this one.
      }
    }
    this.open.clear();
  }
}

/**
 * The records that a run keeps the arrays of, of one network, by stream and in their order; those of `stream` alone where it is given. Read as they are asked for; one is in memory.
 *
 * @throws {WeirError} where a file is altered; one that is still written, or whose run was killed, gives what it holds
 */
export function* keptRecords(run: string, network: string, stream?: string): Generator<KeptRecord> {
  for (const folder of namesIn(folderOf(run))) {
    for (const name of namesIn(join(folderOf(run), folder))) {
      if (stream !== undefined && name !== `${stream}.weirrec`) continue;
      for (const frame of readRecording(join(folderOf(run), folder, name)).frames) {
        if (frame.kind !== 'item') continue;
        const record = frame.item as KeptRecord;
        if (record.network === network) yield record; // a graph may train several
      }
    }
  }
}

const namesIn = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder).sort() : []);

/**
 * Copies what a run keeps into another that takes over its log.
 *
 * @param left streams that the other run makes anew @param network of one network alone
 */
export function copyKept(
  from: string,
  to: string,
  { left = [], network }: { readonly left?: readonly string[]; readonly network?: string } = {},
): void {
  for (const folder of namesIn(folderOf(from))) {
    if (network !== undefined && folder !== network) continue;
    for (const name of namesIn(join(folderOf(from), folder))) {
      if (left.some((stream) => name === `${stream}.weirrec`)) continue;
      const target = join(folderOf(to), folder, name);
      onDisk(`copy ${name} to ${target}`, () => cpSync(join(folderOf(from), folder, name), target));
    }
  }
}
