import { existsSync, rmSync } from 'node:fs';
import type { OperatorFunction } from 'rxjs';
import { type ReplayOptions, replay } from '../../data/replay.js';
import { WeirError } from '../../flow/errors.js';
import type { Positioned } from '../../flow/item.js';
import type { Frame } from '../../storage/core-recording-format.js';
import { RecordingWriter } from '../../storage/core-recording-writer.js';
import { readRecording } from '../../storage/recording-reader.js';
import { version } from '../../storage/version.js';
import { inVirtualTime } from './in-virtual-time.js';
import { Mismatch } from './mismatch.js';
import { plainOutput } from './plain-output.js';
import { difference } from './testing-difference.js';

export interface ExpectReplayOptions extends Pick<ReplayOptions, 'pace' | 'gaps'> {
  /** The recording that is played into the stage. */
  readonly input: string;
  /** The recording of what should come out. */
  readonly output: string;
  /** How far a float may lie from the recorded one: absolute below 1, as a share of it above. 0: the same bits. */
  readonly tolerance?: number;
  /** Compare too when the items came, in virtual milliseconds: for an `output` made by WEIR_RECORD, with the same `pace`. */
  readonly times?: boolean;
  /** Seconds without an item or the end after which the stage counts as stuck. */
  readonly patience?: number;
  /** Whether to write `output` anew instead of comparing with it; by default where the environment has WEIR_RECORD=1. */
  readonly record?: boolean;
}

type Item = Extract<Frame, { readonly kind: 'item' }>;

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
  const { input, output, pace, gaps, tolerance = 0, times = false, patience = 20 } = options;
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
          const { field, recorded: was, came, more } = found;
          const where = field === '' ? '' : ` in '${field}'`;
          const margin = tolerance > 0 ? `; the tolerance is ${tolerance}` : '';
          throw new Mismatch(
            `${at(recorded)} differs${where}: recorded ${was}, came ${came}${more && ` (${more})`}${margin}`,
            count,
            field,
          );
        }
        if (times && time !== recorded.time) {
          throw new Mismatch(`${at(recorded)} came after ${time} ms, recorded ${recorded.time} ms`, count);
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
