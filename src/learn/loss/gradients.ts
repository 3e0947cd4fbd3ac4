import { WeirError } from '../../flow/errors.js';
import { type ProcessGroup, processGroup } from '../../tensorflow/collectives/process-group.js';
import { tf } from '../../tensorflow/tf.js';
import { pullbackOf, trainedWeights, trainingOutputs } from '../model/autodiff.js';
import type { Gradients, Model, Pullback, Weights } from '../model/model.js';
import { addGradients } from '../regularizer/regularizer.js';
import { differentiated, spoiledBy } from './automatic-loss.js';
import { isOfViews, type Learned, type Loss, type OfFeatures, type ViewsLoss, type ViewsLossValue } from './loss.js';

/**
 * A loss over views that compares the samples of all ranks with each other. Projections are gathered; each rank computes the whole
 * loss, and keeps the gradient of its own rows.
 *
 * The gradient is multiplied by the number of ranks, because `acrossRanks` takes the mean over them.
 *
 * @param projections float32 [views · n, width] of this rank's n samples; the other ranks have as many (`checkEven`)
 */
function lossOverRanks(loss: ViewsLoss, projections: tf.Tensor2D, ranks: ProcessGroup): ViewsLossValue {
  if (ranks.ranks === 1) return loss.of(projections);
  const { views } = loss;
  const [rows, width] = projections.shape;
  const own = rows / views;

  return tf.tidy(() => {
    const all = tf.reshape(ranks.collect(tf.reshape(projections, [-1])), [ranks.ranks, views, own, width]);
    const byView = tf.transpose(all, [1, 0, 2, 3]);
    const { value, gradient, correct } = loss.of(tf.reshape(byView, [views * ranks.ranks * own, width]));
    const byRank = tf.reshape(gradient, [views, ranks.ranks, own, width]);
    const mine = tf.slice(byRank, [0, ranks.rank, 0, 0], [views, 1, own, width]);
    const given = { value, gradient: tf.mul(tf.reshape(mine, [rows, width]), ranks.ranks) };
    // every rank has the count over all samples, and the counts of all ranks will be added
    return { ...given, ...(correct && { correct: tf.div(correct, ranks.ranks) }) } as Record<string, tf.Tensor>;
  }) as unknown as ViewsLossValue;
}

/**
 * Checks that all ranks have as many samples: every rank comes to the same result, so none waits for another.
 *
 * @param shared samples of all ranks in a batch
 * @throws {WeirError} where the ranks do not share it evenly
 */
export function checkEven(loss: ViewsLoss, shared: number, { ranks }: Pick<ProcessGroup, 'ranks'>): void {
  if (shared % ranks === 0) return;
  throw new WeirError(
    `loss '${loss.name}' compares the samples of all ranks, which do not have as many each in the last batch of an epoch`,
    "leave that one out: batch(size, { partial: 'drop' })",
  );
}

/**
 * A loss over several views of a batch and its gradient. Views go through the model one after another, each with the batch
 * statistics of its own and the running statistics moved by each in turn, or together as one batch: see `ViewsLoss.passes`.
 * A regularizer on features sees all views as one batch. The loss compares the samples of all ranks.
 *
 * Bound: the intermediate results of the passes of all views, at once.
 *
 * @param x float32 [views · n, ...inputShape], the first views first @param labels int32 [views · n]
 */
function viewGradients(
  model: Model,
  loss: ViewsLoss,
  weights: Weights,
  x: tf.Tensor,
  labels: tf.Tensor1D,
  ofFeatures?: OfFeatures,
): Learned {
  const pullback = pullbackOf(model);
  const count = loss.passes === 'together' ? 1 : loss.views;
  const views = tf.split(x, count);
  const passes: Pullback[] = [];
  let statistics: Weights | undefined;
  for (const view of views) {
    const pass = pullback(statistics ? new Map([...weights, ...statistics]) : weights, view);
    tf.dispose([...(statistics?.values() ?? [])]);
    statistics = pass.statistics;
    passes.push(pass);
  }

  const projections = tf.concat<tf.Tensor2D>(passes.map(({ logits }) => logits));
  const { value, gradient, correct } = lossOverRanks(loss, projections, processGroup());
  const ofOutputs = tf.split<tf.Tensor2D>(gradient, count);
  const onFeatures = ofFeatures && regularized(passes, labels, ofFeatures);
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

/** The gradient of a regularizer on the features of all views, view by view. */
function regularized(passes: readonly Pullback[], labels: tf.Tensor1D, ofFeatures: OfFeatures): tf.Tensor2D[] {
  return tf.tidy(() => {
    const whole = ofFeatures(tf.concat<tf.Tensor2D>(passes.map(({ features }) => features)), labels);
    return tf.split(whole, passes.length);
  });
}

/**
 * The loss of a batch and its gradient with respect to every weight that is trained: by the model's own backward pass where it
 * has one, else by TensorFlow.js's automatic differentiation. A loss over views goes through the model's own backward pass, see `viewGradients`.
 *
 * @param x float32 [n, ...inputShape] @param labels int32 [n]; of several views n is that of all of them together
 * @param ofFeatures the gradient of a regularizer on Φ(x), which goes back through the network with the loss's
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
  const names = trainedWeights(model, weights);
  const named = (values: readonly tf.Tensor[]): Gradients => new Map(names.map((name, i) => [name, values[i]!]));
  const at = (values: readonly tf.Tensor[]): Weights => new Map([...weights, ...named(values)]);
  let correct: tf.Scalar | undefined;
  let value: tf.Scalar | undefined;
  let statistics: Weights | undefined;
  const byHand = tf.customGrad((logits, save) => {
    const { value, gradient } = loss.of(logits as tf.Tensor2D, labels);
    (save as tf.GradSaveFunc)([gradient]);
    return { value, gradFunc: (dy, saved) => tf.mul((saved as tf.Tensor[])[0]!, dy) };
  });
  // inside of customGrad no operation is recorded, so a loss without a gradient by hand stands outside of it
  const lossOf = (logits: tf.Tensor2D): tf.Tensor => loss.scalar?.(logits, labels) ?? byHand(logits);
  const run = tf.valueAndGrads((...values: tf.Tensor[]) => {
    const { logits, features, ...rest } = trainingOutputs(model, at(values), x);
    for (const tensor of rest.statistics?.values() ?? []) tf.keep(tensor);
    statistics = rest.statistics;
    correct = tf.keep(correctOf(logits, labels));
    const lost = lossOf(logits);
    value = tf.keep(tf.clone(lost)) as tf.Scalar;
    if (ofFeatures === undefined) return lost;
    return tf.add(lost, further(ofFeatures, features(), labels));
  });
  const trained = names.map((name) => weights.get(name)!);
  const { value: whole, grads } =
    loss.scalar === undefined ? run(trained) : differentiated(loss.name, () => run(trained));
  whole.dispose();
  if (loss.scalar !== undefined) {
    const plain = value!;
    value = spoiledBy(grads, plain);
    plain.dispose();
  }
  return { loss: value!, correct: correct!, gradients: named(grads), ...(statistics && { statistics }) };
}

/** A scalar of value 0 whose gradient with respect to the features is that of the regularizer. */
function further(ofFeatures: OfFeatures, features: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor {
  const gradient = ofFeatures(features, labels); // by differentiation perhaps, which needs a record of operations: inside there is none
  return tf.customGrad((_, save) => {
    (save as tf.GradSaveFunc)([gradient]);
    return { value: tf.scalar(0), gradFunc: (dy, saved) => tf.mul((saved as tf.Tensor[])[0]!, dy) };
  })(features);
}

/** The number of samples whose largest logit is the label's; a scalar. */
function correctOf(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar {
  return tf.tidy(() => tf.sum(tf.cast(tf.equal(tf.argMax(logits, 1), labels), 'float32')));
}
