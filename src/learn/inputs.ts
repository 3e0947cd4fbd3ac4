import type { Labels } from '../data/labels.js';
import { WeirError } from '../flow/errors.js';
import { tf } from '../tensorflow/device-tf.js';
import type { Loss } from './loss/loss-loss.js';
import { isOfViews, type ViewsLoss } from './loss/views-loss.js';
import type { Model } from './model/model-model.js';

/** What a batch holds of its samples. */
interface Samples {
  readonly sampleShape: readonly number[];
  readonly values: Float32Array;
  readonly labels: Labels;
}

/**
 * Inputs and labels of a batch on the device: of several views of n samples [views · n, ...inputShape], the first ones first.
 *
 * @throws {WeirError} for samples that the model does not take, or not in as many views as the loss compares
 */
export function inputsOf(model: Model, loss: Loss | ViewsLoss, batch: Samples): [tf.Tensor, tf.Tensor1D] {
  const { values, labels, sampleShape } = batch;
  const views = isOfViews(loss) ? loss.views : 1;
  const n = labels.length;
  const size = model.inputShape.reduce((product, length) => product * length, 1);
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
  const size = sampleShape.reduce((product, length) => product * length, 1);
  const mend = `give the model an input of ${size} values, or the data another shape`;
  const taken = `[${model.inputShape.join(', ')}]`;
  if (!isOfViews(loss)) return new WeirError(`${handed}, but ${model.name} takes ${taken}`, mend);
  return new WeirError(
    `${handed}, but loss '${loss.name}' compares ${loss.views} views of what ${model.name} takes, ${taken}`,
    `give samples of shape [${[loss.views, ...model.inputShape].join(', ')}]: views of the data, one behind another`,
  );
}
