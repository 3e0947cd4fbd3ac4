import { readFileSync } from 'node:fs';
import { concatMap, defer, delay, map, type Observable, of } from 'rxjs';
import type { Positioned } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import type { Fingerprint } from '../flow/header.js';
import { checkOptions } from '../flow/options.js';
import { source } from '../flow/source.js';
import { sha256Of } from '../storage/digest.js';
import { type RecordingFrame, readRecording } from '../storage/recording-reader.js';

export interface ReplayOptions {
  /** All items at once (the default), or with the recorded pauses, which are virtual time under RxJS's TestScheduler. */
  readonly pace?: 'at once' | 'recorded';
  /** Items that the recording lacks: an error (the default), or allowed. */
  readonly gaps?: 'refuse' | 'allow';
  readonly name?: string;
  readonly capacity?: number;
}

/**
 * Plays a recorded stream as a source.
 *
 * Bound: `capacity`. Order: as recorded. State: the position.
 * Failure: a gap, or a file that is cut short, is an error that names the file and the position, unless gaps are allowed.
 *
 * @typeParam T type of the recorded items, without tensors and functions
 * @example replay<Samples>('fixtures/mnist-batches.weirrec').pipe(train(model, { loss: crossEntropy(), optimizer: sgd({ rate: 0.1 }), seed }))
 */
export function replay<T extends Positioned>(file: string, options: ReplayOptions = {}): Observable<T> {
  checkOptions('replay', options, { pace: 'optional', gaps: 'optional', name: 'optional', capacity: 'optional' });
  const { pace = 'at once', gaps = 'refuse', name = 'replay', capacity } = options;
  const frames$ = source({
    name,
    capacity,
    from: items,
    inputs: [{ name: file, fingerprint }],
    header: () => readRecording(file).header.headers?.[0] ?? {},
  });
  if (pace === 'at once') return frames$.pipe(map(({ item }) => item));
  return defer(() => {
    let before: number | undefined; // the first item comes at once, also after a resume
    return frames$.pipe(
      concatMap(({ item, time }) => {
        const pause = Math.max(0, time - (before ?? time));
        before = time;
        return of(item).pipe(delay(pause));
      }),
    );
  });

  function fingerprint(): Fingerprint {
    const bytes = readFileSync(file);
    return { properties: { bytes: bytes.length, contents: sha256Of(bytes) } };
  }

  function* items(after: number): Generator<Positioned & { readonly item: T; readonly time: number }> {
    for (const frame of readRecording(file).frames) {
      if (frame.kind !== 'item') refuse(frame);
      else if (frame.position > after) {
        yield { position: frame.position, item: frame.item as unknown as T, time: frame.time };
      }
    }
  }

  function refuse(frame: Exclude<RecordingFrame, { kind: 'item' }>): void {
    if (gaps === 'allow') return;
    if (frame.kind === 'torn') throw frame.problem;
    throw new WeirError(
      `recording ${file} lacks ${frame.missed ?? 'some'} items after position ${frame.position}`,
      "record it again without a gap, or replay it with { gaps: 'allow' }",
    );
  }
}
