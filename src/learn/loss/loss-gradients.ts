import { tf } from '../../tensorflow/device-tf.js';
import type { Gradients, Model, Weights } from '../model/model-model.js';
import type { Learned, OfFeatures } from './learned.js';
import type { Loss } from './loss-loss.js';
import { viewGradients } from './view-gradients.js';
import { isOfViews, type ViewsLoss } from './views-loss.js';

/**
 * The loss of a batch and its gradient with respect to every weight that is trained: by the model's own backward pass where it
 * has one, else by TensorFlow.js's automatic differentiation. A loss over views goes through the model's own backward pass, see `viewGradients`.
 *
 * @param x float32 [n, ...inputShape] @param labels int32 [n]; of several views n is that of all of them together
 * @param ofFeatures the gradient of a further penalty on Φ(x), which is sent back with the loss's
 */
export function gradientsOf(
  model: Model,
  loss: Loss | ViewsLoss,
  weights: Weights,
  x: tf.Tensor,
  labels: tf.Tensor1D,
  ofFeatures?: OfFeatures,
): Learned {
  if (isOfViews(loss)) return viewGradients(model, loss, weights, x, labels, ofFeatures);
  if (model.pullback === undefined) return automatic(model, loss, weights, x, labels, ofFeatures);
  const pullback = model.pullback(weights, x);
  const { value, gradient } = loss.of(pullback.logits, labels);
  const correct = correctOf(pullback.logits, labels);
  const further = ofFeatures?.(pullback.features, labels);
  const gradients = pullback.gradients(gradient, further);
  tf.dispose([gradient, ...(further ? [further] : [])]);
  const { statistics } = pullback;
  return { loss: value, correct, gradients, ...(statistics && { statistics }) };
}

function automatic(
  model: Model,
  loss: Loss,
  weights: Weights,
  x: tf.Tensor,
  labels: tf.Tensor1D,
  ofFeatures?: OfFeatures,
): Learned {
  const fixed = new Set(model.statistics);
  const names = [...weights.keys()].filter((name) => !fixed.has(name));
  const named = (values: readonly tf.Tensor[]): Gradients => new Map(names.map((name, i) => [name, values[i]!]));
  const at = (values: readonly tf.Tensor[]): Weights => new Map([...weights, ...named(values)]);
  let correct: tf.Scalar | undefined;
  let value: tf.Scalar | undefined;
  const lossOf = tf.customGrad((logits, save) => {
    const { value, gradient } = loss.of(logits as tf.Tensor2D, labels);
    (save as tf.GradSaveFunc)([gradient]);
    return { value, gradFunc: (dy, saved) => tf.mul((saved as tf.Tensor[])[0]!, dy) };
  });
  const run = tf.valueAndGrads((...values: tf.Tensor[]) => {
    const logits = model.logits(at(values), x);
    correct = tf.keep(correctOf(logits, labels));
    const lost = lossOf(logits);
    value = tf.keep(tf.clone(lost)) as tf.Scalar;
    if (ofFeatures === undefined) return lost;
    return tf.add(lost, further(ofFeatures, model.features(at(values), x), labels));
  });
  const { value: whole, grads } = run(names.map((name) => weights.get(name)!));
  whole.dispose();
  return { loss: value!, correct: correct!, gradients: named(grads) };
}

/** A scalar without a value of its own, whose gradient with respect to the features is what the penalty says. */
function further(ofFeatures: OfFeatures, features: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor {
  return tf.customGrad((of, save) => {
    (save as tf.GradSaveFunc)([ofFeatures(of as tf.Tensor2D, labels)]);
    return { value: tf.scalar(0), gradFunc: (dy, saved) => tf.mul((saved as tf.Tensor[])[0]!, dy) };
  })(features);
}

/** How many of the logits' largest are the labels'; a scalar. */
function correctOf(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar {
  return tf.tidy(() => tf.sum(tf.cast(tf.equal(tf.argMax(logits, 1), labels), 'float32')));
}
