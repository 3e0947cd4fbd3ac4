import type { Observable } from 'rxjs';
import { WeirError } from '../flow/errors.js';
import type { Positioned } from '../flow/item.js';
import { ownOf, placeOf, type Share } from '../flow/share.js';
import { source } from '../flow/source.js';
import { type AnyDataset, classNames, inputOf, prepared } from './feed-dataset.js';
import { permutation } from './permutation.js';

/** A run of consecutive draws from a data set, within one epoch. */
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
  /** Off: in the order of the data set, every epoch. */
  readonly shuffle?: boolean;
  /** Samples a block: what crosses to a worker at once. 256, or 32 of images that are read and decoded. */
  readonly block?: number;
  /** Samples that may be outside at once; by default three batches. */
  readonly capacity?: number;
  readonly name?: string;
}

/**
 * Draws every sample of a data set once an epoch, in an order that depends on seed and epoch alone.
 *
 * The order is a permutation that is computed where it is needed, so any position is reached at once and nothing is kept. Where a run
 * has several ranks, a block has this rank's share of its samples.
 * Bound: `capacity`. State: the position. Failure: a data set that cannot be trained on (`dataset`), when the graph is wired.
 *
 * @example draw(train, { epochs: 200, seed: 0 }).pipe(augment([unitScale()], { seed: 0 }), batch(1024))
 */
export function loader(given: AnyDataset, options: LoaderOptions): Observable<Block> {
  const { epochs, seed, shuffle = true, block = given.images ? 32 : 256, capacity, name = 'draw' } = options;
  if (given.size === 0) throw new WeirError(`data set '${given.name}' is empty`, 'check the folder it was read from');
  if (!Number.isInteger(block) || block < 1) {
    throw new WeirError(`'${name}' was asked for blocks of ${block} samples`, 'block must be a whole number from 1 on');
  }
  const dataset = prepared(given);
  return source({
    ...{ name, capacity, from: blocks, inputs: [inputOf(dataset)] },
    header: () => ({ classes: classNames(dataset), samples: dataset.size }),
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
        const before = ownOf(share, first);
        const indices = Uint32Array.from({ length: ownOf(share, end) - before }, (_, i) =>
          order(placeOf(share, before + i)),
        );
        const position = (epoch - 1) * size + end;
        yield { position, dataset, epoch, indices, remaining: size - end, ...(share.ranks > 1 && { share }) };
      }
    }
  }
}
