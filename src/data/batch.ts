import type { OperatorFunction } from 'rxjs';
import { type Positioned, sizeOf } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import type { Batches } from '../flow/header.js';
import { checkOptions } from '../flow/options.js';
import { type Step, stage } from '../flow/stage.js';
import { everything, ownCount, type Share } from './loader.js';
import { type Labels, labelsLike } from './sample-check.js';

/** Samples ready to train on, within one epoch. */
export interface Samples extends Positioned {
  /** From 1 on. */
  readonly epoch: number;
  /** Samples of this epoch that follow; where the last few are dropped, without them. */
  readonly remaining: number;
  /** Indices of the samples in the data set. */
  readonly indices: Uint32Array;
  readonly sampleShape: readonly number[];
  /** [samples, ...sampleShape] */
  readonly values: Float32Array;
  readonly labels: Labels;
  /** Where a run has several ranks: which samples these are of those up to `position`. */
  readonly share?: Share;
  /** Of a batch that ranks share: the samples of all of them. */
  readonly shared?: number;
  /** Of a batch: how many there are in an epoch, and the samples of all ranks in each and in the last one. */
  readonly batches?: Batches;
}

export interface BatchOptions {
  /** Samples at the end of an epoch that do not fill a batch: a smaller batch, or none. 'keep' by default. */
  readonly partial?: 'keep' | 'drop';
  readonly name?: string;
}

/** Samples that do not fill a batch yet, in pieces; the first piece is used up to `from`. */
interface PendingSamples {
  readonly pieces: readonly Samples[];
  readonly from: number;
  readonly count: number;
  /** After a resume: the position up to which samples were trained. */
  readonly after: number;
  /** The position up to which samples have come. */
  readonly seen: number;
}

const noSamples: PendingSamples = { pieces: [], from: 0, count: 0, after: 0, seen: 0 };

/**
 * Joins and cuts samples into batches of `size`; a batch never spans two epochs.
 *
 * Where a run has several ranks, `size` is of the batch that all of them have together, and each gets its share of it: of the short
 * last one of an epoch maybe not one sample.
 *
 * Bound: holds less than one batch. Order: kept. State: the samples that wait. Failure: a size that the ranks do not divide, or that
 * no epoch fills where short batches are dropped: when the graph is wired, where the source tells how many samples there are.
 *
 *   blocks of 2   a--b--c--d|     e
 *   batch(3)      ---x---y--z|       the last batch of an epoch is smaller, or dropped
 *
 * @example loader(train, { epochs: 200, seed }).pipe(augment([unitScale()], { seed }), batch(1024, { partial: 'drop' }))
 */
export function batch(size: number, options: BatchOptions = {}): OperatorFunction<Samples, Samples> {
  checkOptions('batch', options, { partial: 'optional', name: 'optional' });
  const { partial = 'keep', name = 'batch' } = options;
  if (!Number.isInteger(size) || size < 1) {
    throw new WeirError(
      `'${name}' was asked for batches of ${size} samples`,
      'the batch size must be a whole number from 1 on',
    );
  }
  return stage<Samples, Samples, PendingSamples>({
    name,
    needs: size,
    holds: (state) => state.count,
    start: () => noSamples,
    introduce: ([header, ...others]) =>
      header?.samples === undefined || others.length > 0
        ? [...(header ? [header] : []), ...others]
        : [{ ...header, batches: planned(header.samples) }],
    next(state, samples) {
      if (!ArrayBuffer.isView(samples.values)) throw notSamples(samples);
      const fresh = untrained(samples, state.after);
      if (fresh === undefined) return [state];
      const positions = fresh.position - Math.max(state.seen, state.after);
      if (fresh.share === undefined && fresh.labels.length > positions) throw crowded(fresh, positions);
      return cut(add(state, fresh), fresh, ownSize(samples.share), sizesOf(samples));
    },
    end: (state) =>
      partial === 'keep' && state.count > 0 ? [join(state, state.count, state.pieces.at(-1)!, 0, state.count)] : [],
    save: () => null, // a snapshot is taken where a batch ends, so no sample waits
    load: (_, position = 0) => ({ ...noSamples, after: position }),
  });

  function notSamples({ position }: Positioned): WeirError {
    return new WeirError(
      `'${name}' was handed something without values at position ${position}: the items of weir.loader say only which samples come next`,
      'put weir.augment between them, which reads them: loader(…).pipe(augment([], { seed }), batch(…))',
    );
  }

  function crowded({ position, labels }: Samples, positions: number): WeirError {
    return new WeirError(
      `'${name}' was handed ${labels.length} samples at position ${position} where ${positions} are due: each needs a position of its own`,
      'weir.views makes several renderings of a sample, more epochs show it more often',
    );
  }

  function last(samples: Samples): Samples {
    return partial === 'drop' && samples.remaining < size ? { ...samples, remaining: 0 } : samples;
  }

  /** The sizes of the batches of an epoch: any part of the epoch tells its length. */
  function sizesOf(samples: Samples): Batches | undefined {
    const all = endOf(samples) + samples.remaining;
    return Number.isInteger(all) ? planned(all) : undefined; // an operator in between changed the numbers
  }

  /** The sizes of the batches of an epoch of `all` samples. */
  function planned(all: number): Batches {
    if (partial === 'drop' && all < size) {
      throw new WeirError(
        `'${name}' makes batches of ${size} samples and drops smaller ones, but an epoch has ${all} samples: there would be no batch`,
        `take a batch size of ${all} or less (--set batchSize=${all}), more samples, or keep short batches (--set partial=keep)`,
      );
    }
    if (partial === 'drop') return { count: Math.floor(all / size), size, last: size };
    return { count: Math.ceil(all / size), size: Math.min(size, all), last: all % size || Math.min(size, all) };
  }

  /** How many samples of a whole batch are this rank's. */
  function ownSize({ ranks } = everything): number {
    if (size % ranks === 0) return size / ranks;
    const next = size + ranks - (size % ranks);
    throw new WeirError(
      `'${name}' makes batches of ${size} samples, which ${ranks} ranks cannot share evenly`,
      `take a batch size that ${ranks} divides, such as ${next}, or another number of ranks`,
    );
  }

  function* cut(
    state: PendingSamples,
    newest: Samples,
    own: number,
    batches: Batches | undefined,
  ): Generator<Step<PendingSamples, Samples>> {
    const withSizes = (out: Samples): Samples => (batches === undefined ? out : { ...out, batches });
    let rest = state;
    const begun = newest.share === undefined ? 0 : endOf(newest) % size; // of the batch that is not whole yet, over all ranks
    for (let ready = rest.count - ownBehind(newest, begun); ready >= own; ready -= own) {
      const left = newest.share === undefined ? ready - own : begun + (ready / own - 1) * size;
      const out = withSizes(last(join(rest, own, newest, left, size)));
      rest = without(rest, own);
      yield [rest, out];
    }
    if (newest.remaining === 0 && (rest.count > 0 || begun > 0)) {
      const empty = { ...noSamples, seen: newest.position };
      if (partial === 'keep') yield [empty, withSizes(join(rest, rest.count, newest, 0, begun))];
      else yield [empty];
    } else yield [rest];
  }
}

/** The samples after a position. */
function untrained(samples: Samples, after: number): Samples | undefined {
  if (samples.position <= after) return undefined;
  const skip = Math.max(0, samples.labels.length - ownBehind(samples, samples.position - after));
  if (skip === 0) return samples;
  const width = samples.values.length / samples.labels.length;
  return {
    ...samples,
    indices: samples.indices.subarray(skip),
    values: samples.values.subarray(skip * width),
    labels: samples.labels.subarray(skip),
  };
}

const add = (state: PendingSamples, samples: Samples): PendingSamples => ({
  after: 0,
  seen: samples.position,
  pieces: [...state.pieces, samples],
  from: state.from,
  count: state.count + samples.labels.length,
});

/**
 * The first `count` samples in one piece; `newest` is the piece that came last.
 *
 * @param left samples, of all ranks, that come after it up to the end of that piece
 * @param shared samples of all ranks in it
 */
function join(state: PendingSamples, count: number, newest: Samples, left: number, shared: number): Samples {
  const whole = state.pieces[0]!;
  const { share } = newest;
  if (share === undefined && state.from === 0 && whole.labels.length === count) return whole;
  const width = sizeOf(newest.sampleShape);
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
  return {
    position: newest.position - left,
    epoch: newest.epoch,
    remaining: newest.remaining + left,
    indices,
    sampleShape: newest.sampleShape,
    values,
    labels,
    ...(share && { share, shared }),
  };
}

/** How many samples of its epoch a piece ends after. */
function endOf({ position, epoch, remaining }: Samples): number {
  return (position + remaining) / epoch - remaining;
}

/** How many of the last `count` samples, of all ranks, up to the end of the piece are this rank's. */
function ownBehind(piece: Samples, count: number): number {
  const { share } = piece;
  return share === undefined ? count : ownCount(share, endOf(piece)) - ownCount(share, endOf(piece) - count);
}

function without(state: PendingSamples, count: number): PendingSamples {
  let from = state.from + count;
  let first = 0;
  while (first < state.pieces.length && from >= state.pieces[first]!.labels.length) {
    from -= state.pieces[first]!.labels.length;
    first++;
  }
  return { ...state, pieces: state.pieces.slice(first), from, count: state.count - count };
}
