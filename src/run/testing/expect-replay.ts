import { existsSync, rmSync } from 'node:fs';
import { type Observable, type OperatorFunction, Subject } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { type ReplayOptions, replay } from '../../data/replay.js';
import type { Positioned } from '../../flow/data.js';
import { WeirError } from '../../flow/errors.js';
import { checkOptions } from '../../flow/options.js';
import { version } from '../../storage/file-format.js';
import { type RecordingFrame, readRecording } from '../../storage/recording-reader.js';
import { RecordingWriter } from '../../storage/recording-writer.js';
import { difference, plainOutput } from './difference.js';

/** An output of a stage differs from the recorded one; the message names the item, the field and both values. */
export class Mismatch extends WeirError {
  override name = 'Mismatch';

  constructor(
    message: string,
    /** The first item that differs, counted from 0. */
    readonly item: number,
    readonly field?: string,
  ) {
    super(message, 'if the new output is right, run this test once with WEIR_RECORD=1 and look at what changed');
  }
}

/**
 * Plays a stream in virtual time: whatever RxJS schedules takes place at once, in its order. What waits for threads, promises or the
 * event loop is then waited for in real time.
 *
 * `see` is told of each item as it comes, and of the virtual milliseconds since the start.
 *
 * @param patience seconds without an item or the end after which the stream counts as stuck
 */
async function inVirtualTime<T>(
  stream$: Observable<T>,
  see: (item: T, time: number) => void,
  patience: number,
): Promise<void> {
  const scheduler = new TestScheduler(() => undefined);
  const sign = new Subject<void>();
  let ended: { readonly error?: unknown } | undefined;
  const subscription = scheduler.run(() => {
    const begun = scheduler.now();
    const end = (how: { readonly error?: unknown }): void => {
      ended ??= how;
      sign.next();
    };
    return stream$.subscribe({
      next: (item) => {
        try {
          if (ended === undefined) see(item, scheduler.now() - begun);
        } catch (error) {
          return end({ error }); // RxJS would report what an observer throws elsewhere, too late
        }
        sign.next();
      },
      error: (error) => end({ error }),
      complete: () => end({}),
    });
  });
  try {
    while (ended === undefined) await oneOf(sign, patience);
    if ('error' in ended) throw (ended as { readonly error: unknown }).error;
  } finally {
    subscription.unsubscribe();
  }
}

function oneOf(sign: Observable<void>, patience: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      waiting.unsubscribe();
      reject(
        new WeirError(
          `the stage neither handed on an item nor ended for ${patience} s`,
          'see what it waits for; it must complete when its source does, and { patience } gives it longer',
        ),
      );
    }, 1000 * patience);
    const waiting = sign.subscribe(() => {
      clearTimeout(timer);
      waiting.unsubscribe();
      resolve();
    });
  });
}

export interface ExpectReplayOptions extends Pick<ReplayOptions, 'pace' | 'gaps'> {
  /** The recording that is played into the stage. */
  readonly input: string;
  /** The recording of what should come out. */
  readonly output: string;
  /** How far a float may lie from the recorded one: absolute below 1, as a share of it above. 0: the same bits. */
  readonly tolerance?: number;
  /** Compare the times of the items too, in virtual milliseconds: for an `output` made by WEIR_RECORD, with the same `pace`. */
  readonly times?: boolean;
  /** Seconds without an item or the end after which the stage counts as stuck. */
  readonly patience?: number;
  /** Whether to write `output` anew instead of comparing with it; by default where the environment has WEIR_RECORD=1. */
  readonly record?: boolean;
}

type Item = Extract<RecordingFrame, { readonly kind: 'item' }>;

/**
 * Replays a recording into one stage, in virtual time, and compares what comes out with another recording, item by item. For a
 * test: it is a promise to await, and any test runner shows its error.
 *
 * Plain fields must be the same ones; tensors, maps of them and functions such as `loss()` are compared where `output` has them, as
 * recordings made by WEIR_RECORD=1 do.
 *
 * @throws {Mismatch} naming the first item that differs, the field and both values
 * @example
 * test('batch makes the batches it made', () =>
 *   expectReplay(weir.batch(16), { input: 'fixtures/digits.weirrec', output: 'fixtures/digits-by-16.weirrec' }));
 */
export async function expectReplay<In extends Positioned, Out>(
  stage: OperatorFunction<In, Out>,
  options: ExpectReplayOptions,
): Promise<void> {
  const {
    input,
    output,
    pace,
    gaps,
    tolerance = 0,
    times = false,
    patience = 20,
  } = checkOptions('expectReplay', options, {
    input: 'required',
    output: 'required',
    pace: 'optional',
    gaps: 'optional',
    tolerance: 'optional',
    times: 'optional',
    patience: 'optional',
    record: 'optional',
  });
  const out$ = replay<In>(input, { ...(pace && { pace }), ...(gaps && { gaps }) }).pipe(stage);
  if (options.record ?? process.env.WEIR_RECORD === '1') {
    const { pipeline, edge } = readRecording(input).header;
    rmSync(output, { force: true });
    const createdAt = new Date().toISOString();
    const writer = RecordingWriter.create(output, {
      edge: `test of what follows ${edge}`,
      pipeline,
      createdAt,
      weir: version,
    });
    let position = 0;
    await inVirtualTime(
      out$,
      (item, time) => {
        position = (item as Partial<Positioned>).position ?? position;
        writer.append(position, time, plainOutput(item));
      },
      patience,
    ).finally(() => writer.end());
    return;
  }
  if (!existsSync(output)) {
    throw new WeirError(`there is no recording ${output}`, 'run this test once with WEIR_RECORD=1: that makes it');
  }
  const wanted = itemsOf(output);
  let count = 0;
  const at = (frame: Item): string => `item ${count} (position ${frame.position}) of ${output}`;
  try {
    await inVirtualTime(
      out$,
      (item, time) => {
        const { value: recorded, done } = wanted.next();
        if (done)
          throw new Mismatch(`the stage made an item ${count} that ${output} has not: it holds ${count}`, count);
        const found = difference(recorded.item, plainOutput(item, recorded), tolerance);
        if (found !== undefined) {
          const { field, recorded: was, replayed, more } = found;
          const where = field === '' ? '' : ` in '${field}'`;
          const margin = tolerance > 0 ? `; the tolerance is ${tolerance}` : '';
          throw new Mismatch(
            `${at(recorded)} differs${where}: recorded ${was}, replayed ${replayed}${more && ` (${more})`}${margin}`,
            count,
            field,
          );
        }
        if (times && time !== recorded.time) {
          throw new Mismatch(`${at(recorded)} arrived after ${time} ms, recorded ${recorded.time} ms`, count);
        }
        count++;
      },
      patience,
    );
    const { value: left, done } = wanted.next();
    if (!done) throw new Mismatch(`the stage ended after ${count} items: it did not make ${at(left)}`, count);
  } finally {
    wanted.return(undefined);
  }
}

/** The items of a whole recording; one with gaps or a torn end says nothing of what should come. */
function* itemsOf(file: string): Generator<Item, undefined> {
  for (const frame of readRecording(file).frames) {
    if (frame.kind === 'torn') throw frame.problem;
    if (frame.kind === 'gap') {
      throw new WeirError(
        `recording ${file} lacks items after position ${frame.position}`,
        'record it again without a gap',
      );
    }
    yield frame;
  }
  return undefined;
}
