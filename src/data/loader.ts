import { defer, type Observable } from 'rxjs';
import type { Positioned } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import { checkOptions } from '../flow/options.js';
import { keyed } from '../flow/random.js';
import { source } from '../flow/source.js';
import { type AnyDataset, classNames, inputOf, preparedDataset } from './dataset.js';

/**
 * The part of every batch that a process takes where several train one network together. Of the samples of an epoch, in the order of the
 * loader, rank r of n takes those at r, r + n, r + 2n, …  So any number of ranks that divides a batch meets the same batches, and each
 * takes as much of every one.
 */
export interface Share {
  readonly rank: number;
  readonly ranks: number;
}

/** The share of a process that trains alone. */
export const everything: Share = { rank: 0, ranks: 1 };

/** How many of the first `count` samples of an epoch are this rank's. */
export const ownCount = ({ rank, ranks }: Share, count: number): number =>
  Math.max(0, Math.ceil((count - rank) / ranks));

/** The index in the epoch of this rank's k-th sample, from 0 on. */
export const ownIndex = ({ rank, ranks }: Share, k: number): number => k * ranks + rank;

let wiring = everything;

/** Wires a graph whose loaders hand out this share of every batch. */
export function withShare<T>(share: Share, wire: () => T): T {
  const before = wiring;
  wiring = share;
  try {
    return wire();
  } finally {
    wiring = before;
  }
}

/** The share of the graph that is being wired; all of every batch outside of `withShare`. */
const currentShare = (): Share => wiring;

/** Rounds that make orders which the tests cannot distinguish from random ones. Few points (XOR has 4) need more. */
const rounds = (n: number): number => (n < 1024 ? 48 : 6);

/**
 * The order in which an epoch visits its samples: a pseudo-random permutation of [0, n) that is a function of its arguments.
 *
 * Any entry is computed alone, so there is no shuffle buffer, and a resumed run starts where it stopped.
 * A Feistel network over the smallest a × b ≥ n with a ≈ b ≈ √n; a result of n or more goes through again
 * (cycle walking; fewer than a of the ab results are such). Source: Black and Rogaway, "Ciphers with arbitrary finite domains" (2002).
 *
 * @param n number of samples, from 1 to 2³²
 * @returns the sample at each place
 */
export function permutation(n: number, seed: number, epoch: number): (position: number) => number {
  const a = Math.ceil(Math.sqrt(n));
  const b = Math.ceil(n / a);
  const random = keyed(seed, 'draw/permutation', epoch);
  const keys = Int32Array.from({ length: rounds(n) }, () => random.uint32());

  return (position) => {
    let x = position;
    do {
      let left = Math.floor(x / b);
      let right = x - left * b;
      for (let round = 0; round < keys.length; round += 2) {
        left += below(a, right, keys[round]!);
        if (left >= a) left -= a;
        right += below(b, left, keys[round + 1]!);
        if (right >= b) right -= b;
      }
      x = left * b + right;
    } while (x >= n);
    return x;
  };
}

/** A keyed hash of x (two multiplications of MurmurHash3's finalizer, high bits used), scaled to [0, n); n up to 2¹⁶. */
function below(n: number, x: number, key: number): number {
  const h = Math.imul(x ^ key, 0x85ebca6b);
  return ((Math.imul(h ^ (h >>> 15), 0xc2b2ae35) >>> 0) * (n / 2 ** 32)) | 0;
}

/** Consecutive samples of an epoch, by their indices: none is read yet. */
export interface Block extends Positioned {
  readonly dataset: AnyDataset;
  /** From 1 on. */
  readonly epoch: number;
  /** This rank's, of the samples up to `position`. */
  readonly indices: Uint32Array;
  /** Samples of this epoch that are still to come. */
  readonly remaining: number;
  /** Where a run has several ranks. */
  readonly share?: Share;
}

export interface LoaderOptions {
  readonly epochs: number;
  readonly seed: number;
  /** In an order of its own each epoch; false: in the order of the data set. True by default. */
  readonly shuffle?: boolean;
  /** Samples of a block, which crosses to a worker at once; by default 256, or 32 of images that are read and decoded. */
  readonly block?: number;
  /** Samples that may be on their way at once; by default three batches. */
  readonly capacity?: number;
  readonly name?: string;
}

/**
 * Reads a data set in epochs: every sample once an epoch, in an order that depends on seed and epoch alone.
 *
 * The order is a permutation that is computed for each position, so nothing is stored and a run resumes at any position. Where a run
 * has several ranks, a block has this rank's share of its samples.
 * Bound: `capacity`. State: the position. Failure: a data set that cannot be trained on (`dataset`), when the graph is wired.
 *
 * @example loader(train, { epochs: 200, seed: 0 }).pipe(augment([unitScale()], { seed: 0 }), batch(1024))
 */
export function loader(given: AnyDataset, options: LoaderOptions): Observable<Block> {
  checkOptions('loader', options, {
    epochs: 'required',
    seed: 'required',
    shuffle: 'optional',
    block: 'optional',
    capacity: 'optional',
    name: 'optional',
  });
  const { epochs, seed, shuffle = true, block = given.images ? 32 : 256, capacity, name = 'loader' } = options;
  if (given.size === 0) throw new WeirError(`data set '${given.name}' is empty`, 'check the folder it was read from');
  if (!Number.isInteger(block) || block < 1) {
    throw new WeirError(`'${name}' was asked for blocks of ${block} samples`, 'block must be a whole number from 1 on');
  }
  const dataset = preparedDataset(given);
  return defer(() => {
    const share = currentShare();
    return source({
      name,
      capacity,
      inputs: [inputOf(dataset)],
      header: () => ({
        classes: classNames(dataset),
        samples: dataset.size,
        epochs,
        ...(dataset.normalization && { normalization: dataset.normalization }),
      }),
      from: (position) => blocks(position, share),
    });
  });

  function* blocks(after: number, share: Share): Generator<Block> {
    const { size } = dataset;
    let epoch = Math.floor(after / size) + 1;
    // from the beginning of a block on, whatever part of it had been trained: so stages in between see the same blocks again
    let first = (after % size) - ((after % size) % block);
    for (; epoch <= epochs; epoch++, first = 0) {
      const order = shuffle ? permutation(size, seed, epoch) : (i: number) => i;
      for (; first < size; first += block) {
        const end = Math.min(first + block, size);
        const before = ownCount(share, first);
        const indices = Uint32Array.from({ length: ownCount(share, end) - before }, (_, i) =>
          order(ownIndex(share, before + i)),
        );
        const position = (epoch - 1) * size + end;
        yield { position, dataset, epoch, indices, remaining: size - end, ...(share.ranks > 1 && { share }) };
      }
    }
  }
}
