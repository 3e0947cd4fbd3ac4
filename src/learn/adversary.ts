import type { Box } from '../data/dataset.js';
import { WeirError } from '../flow/errors.js';
import type { NormalizedBy } from '../flow/header.js';
import { checkCounts, checkNumbers, checkOptions } from '../flow/options.js';
import { keyed } from '../flow/random.js';
import { tf } from '../tensorflow/tf.js';
import { type Limits, limitsOf, usualBox } from './box.js';
import { isOfViews, type Loss, type ViewsLoss } from './loss/loss.js';
import { normalized } from './loss/views.js';
import { affine } from './model/activation.js';
import { linearizationOf } from './model/autodiff.js';
import { biasOf, type Model, type Weights, weight } from './model/model.js';

/** A batch, on the device and as numbers. */
export interface PerturbedBatch {
  /** float32 [n, ...inputShape]; read only. */
  readonly x: tf.Tensor;
  /** int32 [n]; read only. */
  readonly labels: tf.Tensor1D;
  /** Counted from 1. */
  readonly epoch: number;
  /** [n, ...sampleShape], the numbers of `x`. */
  readonly values: Float32Array;
  /** [n], of the samples in their data set. */
  readonly indices?: ArrayLike<number>;
}

/**
 * Perturbs a batch against a network.
 *
 * @param weights of the update whose next step learns from the result
 * @returns float32 [n, ...inputShape], which belongs to the caller
 */
export type Perturb = (weights: Weights, batch: PerturbedBatch) => tf.Tensor;

/** What perturbs the batches of a training: the inner maximization of min_w E max_δ L(x + δ, y; w). */
export interface Adversary {
  /** For messages, and for the settings of a run. */
  readonly name: string;
  /**
   * It must be a function of its arguments alone: then a resumed training goes on to the same bits.
   *
   * @param seed of the training @throws {WeirError} for a model that it cannot differentiate
   */
  against(model: Model, loss: Loss, seed: number): Perturb;
}

export interface ProjectedGradientOptions {
  /** ε, the l2 radius of the ball about each sample, in the units of the model's inputs. */
  readonly epsilon: number;
  /** K, the gradient steps of each batch; 7 by default. */
  readonly steps?: number;
  /** α, the l2 length of a step, in the same units; 2.5 ε / K by default. */
  readonly stepSize?: number;
  /** The values that an input may take, by channel where they differ: by default those of pixels from 0 to 1, after `normalize`. */
  readonly box?: Box;
  /** The mean and deviation by which the inputs were normalized. */
  readonly normalize?: NormalizedBy;
}

/** By how much of the box's width rounding may have put a sample outside of it. */
const SLACK = 1e-5;

/**
 * Adversarial training by projected gradients in l2 (Madry et al. 2018, equation 2.1): each batch is moved to where its loss is larger,
 * and the update is that of the moved batch, with its regularizers, loss and accuracy.
 *
 *   δ₀ uniform in the ball;  δ ← P(δ + α g/‖g‖), K times;  P(δ) = δ · min(1, ε/‖δ‖), then x + δ cut to the box
 *
 * g = ∇ₓ L(x + δ, y) of each sample at the weights of the update. Batch normalizations are in evaluation mode for g, and in training
 * mode for the step, as in the `robustness` library and in TRADES. So a sample's δ depends on no other sample, and is the same however
 * batches are cut into parts or shared by ranks. The loss must be a mean over samples.
 *
 * Random numbers are a function of the seed, the epoch and the sample's index, so there is no generator to save.
 * The cost of an update grows by K forward and backward passes. A sample whose gradient is 0 stays where it is.
 *
 * @throws {WeirError} for numbers out of their range; with a loss over views, or a model without a Jacobian; at a batch whose
 * samples lie outside of the box or have no indices
 * @example train(model, { loss: crossEntropy(), adversary: projectedGradient({ epsilon: 1.5 }), optimizer: sgd({ rate: 0.1 }), seed })
 */
export function projectedGradient(options: ProjectedGradientOptions): Adversary {
  const given = checkOptions('projectedGradient', options, {
    epsilon: 'required',
    steps: 'optional',
    stepSize: 'optional',
    box: 'optional',
    normalize: 'optional',
  });
  const { epsilon, steps = 7, normalize, box = usualBox(normalize) } = given;
  checkNumbers('projectedGradient', { epsilon });
  checkCounts('projectedGradient', { steps });
  const { stepSize = (2.5 * epsilon) / steps } = given;
  checkNumbers('projectedGradient', { stepSize });
  const name = `projected gradients, l2 ε ${epsilon}, ${steps} steps of ${Number(stepSize.toPrecision(4))}`;

  return {
    name,
    against(model, loss, seed) {
      const gradientAt = inputGradient(model, loss);
      const d = model.inputShape.reduce((product, extent) => product * extent, 1);
      const limits = limitsOf('train', box, d);

      return (weights, batch) => {
        const { x, labels } = batch;
        const n = labels.size;
        checkInside(batch.values, limits);
        const start = startingPoints(seed, batch, n, d, epsilon);
        return tf.tidy(() => {
          const clean = tf.reshape(x, [n, d]) as tf.Tensor2D;
          const lower = tf.minimum(limits.lower, clean);
          const upper = tf.maximum(limits.upper, clean);
          const moved = (δ: tf.Tensor2D): tf.Tensor2D => {
            const shorter = tf.minimum(1, tf.divNoNan(epsilon, tf.norm(δ, 'euclidean', 1, true)));
            return tf.minimum(tf.maximum(tf.add(clean, tf.mul(δ, shorter)), lower), upper);
          };
          let at = moved(tf.tensor2d(start, [n, d]));
          for (let step = 0; step < steps; step++) {
            const next = tf.tidy(() => {
              const g = gradientAt(weights, tf.reshape(at, x.shape), labels);
              return moved(tf.add(tf.sub(at, clean), tf.mul(normalized(g).u, stepSize)));
            });
            at.dispose();
            at = next;
          }
          return tf.reshape(at, x.shape);
        });
      };
    },
  };
}

/** @throws {WeirError} for what is no adversary, and for a loss over views, which has no labels to be led away from */
export function checkAdversary(adversary: Adversary, loss: Loss | ViewsLoss): Adversary {
  if (typeof adversary?.against !== 'function' || typeof adversary.name !== 'string') {
    throw new WeirError(
      'train was given something else in the place of an adversary',
      'give one with name and against(model, loss, seed), such as projectedGradient({ epsilon: 0.5 })',
    );
  }
  if (!isOfViews(loss)) return adversary;
  throw new WeirError(
    `train was given an adversary, and loss '${loss.name}', which compares views and has no labels`,
    'leave the adversary out, or take a loss over labels',
  );
}

/** ∇ₓ of the mean loss over a batch, [n, d], in evaluation mode; the model may take the batch in parts. */
function inputGradient(model: Model, loss: Loss): (weights: Weights, x: tf.Tensor, labels: tf.Tensor1D) => tf.Tensor2D {
  const { jacobian, readout } = model;
  const { factor = 1 } = readout;
  /** The gradient with respect to the features of those rows, from their logits. */
  const cotangent = (weights: Weights, logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor2D => {
    const { gradient } = loss.of(logits, labels);
    return tf.matMul(tf.mul(gradient, factor), weight<tf.Tensor2D>(weights, readout.kernel), false, true);
  };

  if (jacobian?.pull !== undefined) {
    const readOut = (weights: Weights, features: tf.Tensor2D): tf.Tensor2D => {
      const bias = weights.get(biasOf(readout)) as tf.Tensor1D | undefined;
      const product: tf.Tensor2D = tf.matMul(features, weight<tf.Tensor2D>(weights, readout.kernel));
      return bias === undefined ? tf.mul(product, factor) : affine(product, bias, factor);
    };
    return (weights, x, labels) =>
      jacobian.pull!(weights, x, (features, first) =>
        cotangent(weights, readOut(weights, features), tf.slice(labels, first, features.shape[0])),
      )[1];
  }
  const at = linearizationOf(model);
  if (at === undefined && jacobian === undefined) {
    throw new WeirError(
      `${model.name} has no Jacobian, along which an adversary could move its inputs`,
      'give the model `jacobian`, or make it by weir.model, which has one by differentiation',
    );
  }
  return (weights, x, labels) => {
    const q = cotangent(weights, model.logits(weights, x), labels);
    if (at === undefined) return jacobian!.backward(weights, x, q);
    const products = at(weights, x);
    const found = products.backward(q);
    products.dispose();
    return found;
  };
}

/** Points uniform in the ball of radius ε, [n, d]: a normal direction, and a length ε · u^(1/d). */
function startingPoints(
  seed: number,
  { epoch, indices }: PerturbedBatch,
  n: number,
  d: number,
  epsilon: number,
): Float32Array {
  if (indices?.length !== n) {
    throw new WeirError(
      `stage 'train' was handed a batch of ${n} samples with ${indices?.length ?? 'no'} indices: an adversary begins each sample at a point that its index decides`,
      'hand on `indices`, as weir.batch makes them: whole numbers, one for each sample',
    );
  }
  const points = new Float32Array(n * d);
  const direction = new Float64Array(d);
  for (let row = 0; row < n; row++) {
    const random = keyed(seed, 'adversary', epoch, indices[row]!);
    let squares = 0;
    for (let i = 0; i < d; i++) {
      direction[i] = random.normal();
      squares += direction[i]! ** 2;
    }
    const length = (epsilon * random.uniform() ** (1 / d)) / Math.sqrt(squares);
    for (let i = 0; i < d; i++) points[row * d + i] = direction[i]! * length;
  }
  return points;
}

/** @throws {WeirError} for a value that the box does not hold: cut to the box, a sample would be another one */
function checkInside(values: Float32Array, { lower, upper, width }: Limits): void {
  const d = lower.length;
  const slack = SLACK * width;
  const at = values.findIndex((value, i) => value < lower[i % d]! - slack || value > upper[i % d]! + slack);
  if (at === -1) return;
  throw new WeirError(
    `stage 'train' was handed a sample with the value ${values[at]}, outside of its adversary's box, [${lower[at % d]}, ${upper[at % d]}]`,
    'give projectedGradient the box that inputs may take, { box: { min, max } }, or { normalize } where pixels are normalized',
  );
}
