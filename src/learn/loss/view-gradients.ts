import { WeirError } from '../../flow/errors.js';
import { ranks } from '../../tensorflow/collectives/joined.js';
import { tf } from '../../tensorflow/device-tf.js';
import type { Model, Pullback, Weights } from '../model/model-model.js';
import { addGradients } from '../regularizer/add.js';
import type { Learned, OfFeatures } from './learned.js';
import { lossOverRanks } from './over-ranks.js';
import type { ViewsLoss } from './views-loss.js';

/**
 * A loss over several views of a batch and its gradient. Views go through the model one after another, each with the batch
 * statistics of its own and the running statistics moved by each in turn, or together as one batch: see `ViewsLoss.passes`.
 * A penalty on features meets all views as one batch. The loss compares the samples of all ranks.
 *
 * Bound: what the passes of all views keep for the way back, at once.
 *
 * @param x float32 [views · n, ...inputShape], the first views first @param labels int32 [views · n]
 * @throws {WeirError} for a model without a backward pass of its own
 */
export function viewGradients(
  model: Model,
  loss: ViewsLoss,
  weights: Weights,
  x: tf.Tensor,
  labels: tf.Tensor1D,
  ofFeatures?: OfFeatures,
): Learned {
  if (model.pullback === undefined) {
    throw new WeirError(
      `loss '${loss.name}' needs a model with a backward pass of its own, which ${model.name} is not`,
      'take an MLP, or a ResNet with a projection head',
    );
  }
  const count = loss.passes === 'together' ? 1 : loss.views;
  const views = tf.split(x, count);
  const passes: Pullback[] = [];
  let statistics: Weights | undefined;
  for (const view of views) {
    const pass = model.pullback(statistics ? new Map([...weights, ...statistics]) : weights, view);
    tf.dispose([...(statistics?.values() ?? [])]);
    statistics = pass.statistics;
    passes.push(pass);
  }

  const projections = tf.concat<tf.Tensor2D>(passes.map(({ logits }) => logits));
  const { value, gradient, correct } = lossOverRanks(loss, projections, ranks());
  const ofOutputs = tf.split<tf.Tensor2D>(gradient, count);
  const onFeatures = ofFeatures && penalized(passes, labels, ofFeatures);
  const [gradients, ...others] = passes.map((pass, i) => pass.gradients(ofOutputs[i]!, onFeatures?.[i]));
  for (const other of others) addGradients(gradients!, other);
  tf.dispose([...views, projections, gradient, ...ofOutputs, ...(onFeatures ?? [])]);
  return {
    loss: value,
    correct: correct ?? tf.scalar(Number.NaN),
    gradients: gradients!,
    ...(statistics && { statistics }),
  };
}

/** The gradient of a penalty on the features of all views, view by view. */
function penalized(passes: readonly Pullback[], labels: tf.Tensor1D, ofFeatures: OfFeatures): tf.Tensor2D[] {
  return tf.tidy(() => {
    const whole = ofFeatures(tf.concat<tf.Tensor2D>(passes.map(({ features }) => features)), labels);
    return tf.split(whole, passes.length);
  });
}
