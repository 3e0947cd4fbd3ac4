import type { OperatorFunction } from 'rxjs';
import { WeirError } from '../core/errors.js';
import type { Positioned } from '../core/item.js';
import { type Labels, labelsLike } from '../core/labels.js';
import { type Step, stage } from '../core/stage.js';

/** Samples ready to train on, within one epoch. */
export interface Samples extends Positioned {
  /** From 1 on. */
  readonly epoch: number;
  /** Samples of this epoch that are still to come; a batch that drops the last few counts without them. */
  readonly remaining: number;
  /** Which samples of the data set they are. */
  readonly indices: Uint32Array;
  readonly sampleShape: readonly number[];
  /** [samples, ...sampleShape] */
  readonly values: Float32Array;
  readonly labels: Labels;
}

export interface BatchOptions {
  /** What becomes of the samples at the end of an epoch that do not fill a batch. */
  readonly partial?: 'keep' | 'drop';
  readonly name?: string;
}

/** What has come and does not fill a batch yet: pieces of `Samples`, the first of them used up to `from`. */
interface Partial {
  readonly pieces: readonly Samples[];
  readonly from: number;
  readonly count: number;
  /** After a resume: samples up to here had been trained. */
  readonly after: number;
}

const nothing: Partial = { pieces: [], from: 0, count: 0, after: 0 };

/**
 * Joins and cuts samples into batches of `size`; a batch never spans two epochs.
 *
 * Bound: holds less than one batch. Order: kept. State: the samples that wait. Failure: none.
 *
 *   blocks of 2   a--b--c--d|     e
 *   batch(3)      ---x---y--z|       the last batch of an epoch is smaller, or dropped
 */
export function batch(size: number, options: BatchOptions = {}): OperatorFunction<Samples, Samples> {
  const { partial = 'keep', name = 'batch' } = options;
  if (!Number.isInteger(size) || size < 1) {
    throw new WeirError(
      `'${name}' was asked for batches of ${size} samples`,
      'the batch size must be a whole number from 1 on',
    );
  }
  return stage<Samples, Samples, Partial>({
    name,
    needs: size,
    holds: (state) => state.count,
    start: () => nothing,
    next(state, samples) {
      const fresh = untrained(samples, state.after);
      return fresh === undefined ? [state] : cut(add(state, fresh), fresh);
    },
    end: (state) => (partial === 'keep' && state.count > 0 ? [join(state, state.count, state.pieces.at(-1)!)] : []),
    save: () => null, // a snapshot is taken where a batch ends: nothing waits
    load: (_, position = 0) => ({ ...nothing, after: position }),
  });

  function last(samples: Samples): Samples {
    return partial === 'drop' && samples.remaining < size ? { ...samples, remaining: 0 } : samples;
  }

  function* cut(state: Partial, newest: Samples): Generator<Step<Partial, Samples>> {
    let rest = state;
    while (rest.count >= size) {
      const out = last(join(rest, size, newest));
      rest = without(rest, size);
      yield [rest, out];
    }
    if (newest.remaining === 0 && rest.count > 0) {
      if (partial === 'keep') yield [nothing, join(rest, rest.count, newest)];
      else yield [nothing];
    } else yield [rest];
  }
}

/** The samples after a position. */
function untrained(samples: Samples, after: number): Samples | undefined {
  const skip = Math.max(0, after - (samples.position - samples.labels.length));
  if (skip === 0) return samples;
  if (skip >= samples.labels.length) return undefined;
  const width = samples.values.length / samples.labels.length;
  return {
    ...samples,
    indices: samples.indices.subarray(skip),
    values: samples.values.subarray(skip * width),
    labels: samples.labels.subarray(skip),
  };
}

const add = (state: Partial, samples: Samples): Partial => ({
  after: 0,
  pieces: [...state.pieces, samples],
  from: state.from,
  count: state.count + samples.labels.length,
});

/** The first `count` samples in one piece; `newest` is the piece that came last. */
function join(state: Partial, count: number, newest: Samples): Samples {
  const whole = state.pieces[0]!;
  if (state.from === 0 && whole.labels.length === count) return whole;
  const width = newest.values.length / newest.labels.length;
  const values = new Float32Array(count * width);
  const labels = labelsLike(newest.labels, count);
  const indices = new Uint32Array(count);
  let filled = 0;
  let from = state.from;
  for (const piece of state.pieces) {
    const take = Math.min(piece.labels.length - from, count - filled);
    values.set(piece.values.subarray(from * width, (from + take) * width), filled * width);
    labels.set(piece.labels.subarray(from, from + take), filled);
    indices.set(piece.indices.subarray(from, from + take), filled);
    filled += take;
    from = 0;
    if (filled === count) break;
  }
  const left = state.count - count;
  return {
    position: newest.position - left,
    epoch: newest.epoch,
    remaining: newest.remaining + left,
    indices,
    sampleShape: newest.sampleShape,
    values,
    labels,
  };
}

function without(state: Partial, count: number): Partial {
  let from = state.from + count;
  let first = 0;
  while (first < state.pieces.length && from >= state.pieces[first]!.labels.length) {
    from -= state.pieces[first]!.labels.length;
    first++;
  }
  return { pieces: state.pieces.slice(first), from, count: state.count - count, after: 0 };
}
