import { WeirError } from '../../flow/errors.js';
import type { Design, Gram } from './design.js';
import { add, dot, type LinearMap, type MinimizeOptions, type Minimum, minimizer, type Objective } from './minimize.js';

/** @throws {WeirError} for labels that are none of the classes, and for a class that no sample is of */
export function checkLabels(labels: ArrayLike<number>, samples: number, classes: number): void {
  if (classes < 2) {
    throw new WeirError(
      `a readout was asked for over ${classes} class${classes === 1 ? '' : 'es'}`,
      'it tells classes apart: give it samples of two at least',
    );
  }
  if (labels.length !== samples) {
    throw new WeirError(`a readout was given ${samples} samples and ${labels.length} labels`, 'give a label a sample');
  }
  const counts = new Array<number>(classes).fill(0);
  for (let n = 0; n < samples; n++) {
    const label = labels[n]!;
    if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
      throw new WeirError(
        `sample ${n} has the label ${label}, and the readout tells ${classes} classes apart`,
        `give whole numbers from 0 to ${classes - 1}`,
      );
    }
    counts[label]!++;
  }
  const missing = counts.indexOf(0);
  if (missing === -1) return;
  throw new WeirError(
    `not one of the ${samples} samples of a readout is of class ${missing}: its intercept would go to −∞`,
    'give it samples of every class',
  );
}

/**
 * Turns rows of W x into p − e_y, p = softmax(W x + b).
 *
 * @returns Σ −log p_y
 */
export function softmaxLoss(rows: Float64Array, b: Float64Array, labels: ArrayLike<number>, first: number): number {
  const classes = b.length;
  let loss = 0;
  for (let at = 0, n = first; at < rows.length; at += classes, n++) {
    let top = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < classes; k++) {
      rows[at + k]! += b[k]!;
      if (!(rows[at + k]! <= top)) top = rows[at + k]!; // a NaN gets to the loss
    }
    let sum = 0;
    const label = labels[n]!;
    const own = rows[at + label]! - top;
    for (let k = 0; k < classes; k++) {
      rows[at + k] = Math.exp(rows[at + k]! - top);
      sum += rows[at + k]!;
    }
    for (let k = 0; k < classes; k++) rows[at + k]! /= sum;
    rows[at + label]! -= 1;
    loss += Math.log(sum) - own;
  }
  return loss;
}

export interface LogisticOptions extends Partial<MinimizeOptions> {
  /** C: the weight of the losses against the regularizer. */
  readonly inverseRegularization?: number;
  /** Whether directions are preconditioned with the features' Gram matrix, where the design has one: far fewer iterations converge. */
  readonly preconditioned?: boolean;
}

/**
 * How far a readout is fitted. `scikit-learn`: by its defaults, plain L-BFGS that ends after 100 iterations, or where no component of the
 * mean's gradient is above 1e-4. On features of a network it mostly ends before it has converged. `converged`: preconditioned, to a
 * hundredth of that gradient, in at most 10,000 iterations.
 */
export const fitMethods = ['scikit-learn', 'converged'] as const;

export type FitMethod = (typeof fitMethods)[number];

/** The options of `logistic` that make a fit. */
export const optionsOf: Readonly<
  Record<FitMethod, Required<Pick<LogisticOptions, 'tolerance' | 'iterations' | 'preconditioned'>>>
> = {
  'scikit-learn': { tolerance: 1e-4, iterations: 100, preconditioned: false },
  converged: { tolerance: 1e-6, iterations: 10_000, preconditioned: true },
};

/** A fitted readout. Plain data. */
export type Logistic = {
  /** W, [classes, width]. */
  readonly coefficients: Float64Array;
  /** b, of mean 0: a number added to all of them changes nothing. */
  readonly intercepts: Float64Array;
};

/**
 * Multinomial logistic regression: the minimum of ½‖W‖² + C · Σ_n −log softmax(W x_n + b)[y_n] over W and b, b not regularized.
 *
 * It is scikit-learn's LogisticRegression with C = 1, with two differences. It is a softmax over K classes for K = 2 too, and by default it
 * goes on until it has converged (`fitMethods`). As in scikit-learn the tolerance is on the mean over the samples: at the end no component
 * of the sum's gradient is larger than tolerance · C · n.
 *
 * The regularizer makes the minimum in W unique, whatever the rank of the features. Where columns are copies or combinations of each other,
 * it is the one of least norm. In b it is unique up to a common constant, which is chosen to make their mean 0.
 *
 * @param labels one of 0 … classes − 1 a sample
 * @throws {WeirError} for labels that are none, and where a class has no samples, so that its intercept would go to −∞
 */
export function logistic(
  design: Design,
  labels: ArrayLike<number>,
  classes: number,
  {
    inverseRegularization: C = 1,
    tolerance = optionsOf.converged.tolerance,
    iterations = optionsOf.converged.iterations,
    preconditioned = true,
    memory,
  }: LogisticOptions = {},
) {
  checkLabels(labels, design.samples, classes);
  if (!(C > 0 && Number.isFinite(C)) || !(tolerance > 0) || !(iterations >= 1)) {
    throw new WeirError(
      `a readout was asked for with C = ${C}, a tolerance of ${tolerance} and ${iterations} iterations`,
      'give finite numbers above 0',
    );
  }
  const size = classes * design.width;
  const split = (x: Float64Array) => ({ W: x.subarray(0, size), b: x.subarray(size) });

  let gram: Gram | undefined;
  const problem: Objective = {
    *evaluate(x, gradient) {
      const { W, b } = split(x);
      const into = split(gradient);
      let loss = 0;
      gradient.fill(0);
      const transform = (rows: Float64Array, first: number): void => {
        loss += softmaxLoss(rows, b, labels, first);
        for (let i = 0; i < rows.length; i++) {
          rows[i]! *= C;
          into.b[i % classes]! += rows[i]!;
        }
      };
      yield* design.pass(W, transform, into.W);
      let square = 0;
      for (let i = 0; i < size; i++) {
        square += W[i]! ** 2;
        into.W[i]! += W[i]!;
      }
      return square / 2 + C * loss;
    },

    ...(preconditioned &&
      design.gram !== undefined &&
      ({
        *precondition(x) {
          const { W, b } = split(x);
          const weights = new Float64Array(design.samples);
          const transform = (rows: Float64Array, first: number): void => {
            softmaxLoss(rows, b, labels, first);
            for (let n = first, at = 0; at < rows.length; n++, at += classes) {
              let squares = 1 + 2 * rows[at + labels[n]!]!; // Σ p² out of p − e_y
              for (let k = 0; k < classes; k++) squares += rows[at + k]! ** 2;
              weights[n] = (C * Math.max(0, 1 - squares)) / 2;
            }
          };
          yield* design.pass(W, transform);
          gram?.dispose();
          gram = undefined;
          gram = yield* design.gram!(weights);
          return withIntercepts(gram, classes);
        },
      } satisfies Partial<Objective>)),
  };

  const options = { tolerance: tolerance * C * design.samples, iterations, ...(memory !== undefined && { memory }) };
  const { start, next } = minimizer(problem, options);
  return {
    /** At W = 0, b = 0. */
    start: (): Generator<void, Minimum> => start(new Float64Array(size + classes)),
    /** The next iteration; its slices leave nothing behind, so one that is cut short can be made again. */
    next,
    /** The summed loss of the training samples, in nats, and the number of those that get their label. */
    *measure(at: Minimum): Generator<void, { readonly loss: number; readonly correct: number }> {
      const { W, b } = split(at.x);
      let loss = 0;
      let correct = 0;
      const transform = (rows: Float64Array, first: number): void => {
        loss += softmaxLoss(rows, b, labels, first);
        for (let n = first, i = 0; i < rows.length; n++, i += classes) {
          const label = labels[n]!;
          rows[i + label]! += 1;
          const row = rows.subarray(i, i + classes);
          if (row.every((p) => p <= row[label]!)) correct++;
        }
      };
      yield* design.pass(W, transform);
      return { loss, correct };
    },
    fitted(at: Minimum): Logistic {
      const { W, b } = split(at.x);
      const mean = b.reduce((sum, value) => sum + value, 0) / classes;
      return { coefficients: W.slice(), intercepts: b.map((value) => value - mean) };
    },
    /** Disposes of the tensors of the fit; the design stays the caller's. */
    dispose: () => gram?.dispose(),
  };
}

/**
 * The inverse of the matrix [[M, m], [mᵀ, Σw]], by Schur's complement of M. The last row and column are those of the intercepts, which have
 * no regularizer.
 */
function withIntercepts({ sum, total, solve }: Gram, classes: number): LinearMap {
  const column = solve(sum);
  const width = sum.length;
  const rest = Math.max(total - dot(sum, column), 1e-9 * total, 1e-30); // above 0 but for rounding
  return (vector) => {
    const rows = solve(vector.subarray(0, classes * width));
    const result = new Float64Array(vector.length);
    for (let k = 0; k < classes; k++) {
      const row = rows.subarray(k * width, (k + 1) * width);
      const intercept = (vector[classes * width + k]! - dot(row, sum)) / rest;
      add(row, column, -intercept);
      result[classes * width + k] = intercept;
    }
    result.set(rows);
    return result;
  };
}
