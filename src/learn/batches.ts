import type { Labels } from '../data/sample-check.js';
import { sizeOf } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import type { Batches } from '../flow/header.js';
import type { ProcessGroup } from '../tensorflow/collectives/process-group.js';
import { tf } from '../tensorflow/tf.js';
import { isOfViews, type Loss, type ViewsLoss } from './loss/loss.js';
import type { Model } from './model/model.js';
import type { Regularizer } from './regularizer/regularizer.js';

/** The sizes of an epoch's batches, where the source has announced them. */
export interface ExpectedBatches {
  readonly batches?: Batches;
}

interface TrainingParts {
  readonly model: Model;
  readonly loss: Loss | ViewsLoss;
  readonly regularizer?: Regularizer | undefined;
}

const leaveOut = "leave out the short last batch of an epoch, batch(size, { partial: 'drop' }): --set partial=drop";

/**
 * Refuses, as soon as the sizes of all batches are known, settings that would end the training at the last batch of an epoch.
 *
 * @throws {WeirError} for batches too small for a loss, a normalization or a regularizer
 */
export function checkBatches(
  { model, loss, regularizer }: TrainingParts,
  { batches }: ExpectedBatches,
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
  const needed = regularizer?.leastSamples ?? 1;
  if (own < needed) refuse(`'${regularizer!.kind}' needs ${needed} samples in every batch`);
}

/** The smallest share of so many samples, of a rank that has any. */
const fewest = (samples: number, ranks: number): number => Math.max(1, Math.floor(samples / ranks));

/** Positions of the smallest map that is normalized over the batch; undefined where no map is. */
function smallestMap({ featureLayers }: Model): number | undefined {
  const positions = featureLayers.flatMap((layer) =>
    layer.kind === 'conv' && layer.normalization !== undefined
      ? [layer.inputSize.reduce((product, extent) => product * Math.ceil(extent / layer.stride), 1)]
      : [],
  );
  return positions.length === 0 ? undefined : Math.min(...positions);
}

const many = (n: number): string => `${n} sample${n === 1 ? '' : 's'}`;

/** The samples of a batch. */
interface Samples {
  readonly sampleShape: readonly number[];
  readonly values: Float32Array;
  readonly labels: Labels;
}

/**
 * Inputs and labels of a batch on the device: of several views of n samples [views · n, ...inputShape], the first ones first.
 *
 * @throws {WeirError} for samples of another size than the model's input, or in fewer or more views than the loss compares
 */
export function inputsOf(model: Model, loss: Loss | ViewsLoss, batch: Samples): [tf.Tensor, tf.Tensor1D] {
  const { values, labels, sampleShape } = batch;
  const views = isOfViews(loss) ? loss.views : 1;
  const n = labels.length;
  const size = sizeOf(model.inputShape);
  if (values.length !== n * views * size || (views > 1 && sampleShape[0] !== views)) throw misfit(model, loss, batch);
  if (views === 1) return [tf.tensor(values, [n, ...model.inputShape]), tf.tensor1d(Int32Array.from(labels), 'int32')];
  return tf.tidy(() => {
    const byView = tf.transpose(tf.tensor3d(values, [n, views, size]), [1, 0, 2]);
    const repeated = Array.from({ length: views }, () => [...labels]).flat();
    return [tf.reshape(byView, [views * n, ...model.inputShape]), tf.tensor1d(repeated, 'int32')];
  }) as [tf.Tensor, tf.Tensor1D];
}

function misfit(model: Model, loss: Loss | ViewsLoss, { sampleShape }: Samples): WeirError {
  const handed = `stage 'train' was handed samples of shape [${sampleShape.join(', ')}]`;
  const size = sizeOf(sampleShape);
  const mend = `give the model an input of ${size} values, or the data another shape`;
  const taken = `[${model.inputShape.join(', ')}]`;
  if (!isOfViews(loss)) return new WeirError(`${handed}, but ${model.name} takes ${taken}`, mend);
  return new WeirError(
    `${handed}, but loss '${loss.name}' compares ${loss.views} views of what ${model.name} takes, ${taken}`,
    `give samples of shape [${[loss.views, ...model.inputShape].join(', ')}]: views of the data, one behind another`,
  );
}
