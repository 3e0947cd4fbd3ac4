import { WeirError } from '../flow/errors.js';
import type { Batches } from '../flow/header.js';
import type { ProcessGroup } from '../tensorflow/collectives/ranks.js';
import type { Loss } from './loss/loss-loss.js';
import { isOfViews, type ViewsLoss } from './loss/views-loss.js';
import type { Model } from './model/model-model.js';
import type { Regularizer } from './regularizer/regularizer-regularizer.js';

/** What the batches of an epoch will be, as far as whoever makes them has told. */
export interface Planned {
  readonly batches?: Batches;
}

interface Trained {
  readonly model: Model;
  readonly loss: Loss | ViewsLoss;
  readonly penalty?: Regularizer | undefined;
}

const leaveOut = "leave out the short last batch of an epoch, batch(size, { partial: 'drop' }): --set partial=drop";

/**
 * Refuses what would end the training at the last batch of an epoch, as soon as the sizes of all batches are known.
 *
 * @throws {WeirError} for batches too small for a loss, a normalization or a regularizer
 */
export function checkBatches(
  { model, loss, penalty }: Trained,
  { batches }: Planned,
  { ranks, synchronized }: Pick<ProcessGroup, 'ranks' | 'synchronized'>,
): void {
  if (batches === undefined) return;
  const { size, last } = batches;
  const short =
    last < size
      ? `the last batch of each epoch has ${many(last)} (batches of ${size})`
      : `each batch has ${many(size)}`;
  const over = ranks === 1 ? '' : `, shared by ${ranks} ranks`;
  const refuse = (why: string): never => {
    throw new WeirError(`${short}${over}: ${why}`, last < size ? leaveOut : 'take a larger batch: --set batchSize=…');
  };
  if (isOfViews(loss)) {
    if (last < 2) refuse(`loss '${loss.name}' tells a sample from others, and needs two at least`);
    if (last % ranks !== 0) refuse(`loss '${loss.name}' compares the samples of all ranks, which need as many each`);
  }
  const own = fewest(last, ranks);
  const maps = smallestMap(model);
  if (maps !== undefined) {
    if (synchronized && last < ranks) refuse('batch normalizations over all ranks need a sample of each');
    if ((synchronized ? last : own) * maps < 2)
      refuse(`${model.name} normalizes over a single value per channel there`);
  }
  const needed = penalty?.leastSamples ?? 1;
  if (own < needed) refuse(`'${penalty!.kind}' needs ${needed} samples in every batch`);
}

/** The fewest samples that a rank with any gets of so many. */
const fewest = (samples: number, ranks: number): number => Math.max(1, Math.floor(samples / ranks));

/** Positions of the smallest map that is normalized over the batch; none where none is. */
function smallestMap({ featureLayers }: Model): number | undefined {
  const positions = featureLayers.flatMap((layer) =>
    layer.kind === 'conv' && layer.normalization !== undefined
      ? [layer.inputSize.reduce((product, extent) => product * Math.ceil(extent / layer.stride), 1)]
      : [],
  );
  return positions.length === 0 ? undefined : Math.min(...positions);
}

const many = (n: number): string => `${n} sample${n === 1 ? '' : 's'}`;
