import {
  addFloat64,
  type Float64,
  float64,
  inverseFloat64,
  matMulFloat64,
  mulFloat64,
  rowsFloat64,
} from '../../tensorflow/ops/float64.js';

/**
 * The features of the training samples as a matrix X, [samples, width]. X stays in one place, and only products with it are moved, in
 * float64. Long work comes in slices; between two slices the run answers signals and barriers.
 */
export interface Design {
  readonly samples: number;
  readonly width: number;
  /**
   * Goes through X block by block. It hands the products of the rows, Z = X_b Wᵀ, to `transform`, which overwrites them with R; then it
   * adds to the gradient: G ← G + Rᵀ X_b.
   *
   * @param coefficients W, [classes, width]
   * @param transform is given Z, [rows, classes], and the number of the first row
   * @param gradient G, [classes, width]; without it the second product is not made
   */
  pass(
    coefficients: Float64Array,
    transform: (products: Float64Array, first: number) => void,
    gradient?: Float64Array,
  ): Generator<void, void>;
  /**
   * The matrix M = I + Σ_n w_n x_n x_nᵀ over the rows with the largest weights, as a solver. Left out where it would cost too much.
   *
   * @param weights w, not negative, one a sample
   */
  gram?(weights: Float64Array): Generator<void, Gram>;
  dispose(): void;
}

export interface Gram {
  /** Σ_n w_n x_n, [width], and Σ_n w_n, over the same rows. */
  readonly sum: Float64Array;
  readonly total: number;
  /** B M⁻¹ for B of [classes, width]. */
  solve(rows: Float64Array): Float64Array;
  dispose(): void;
}

/**
 * The rows that `gram` takes, in order: those with the largest weights, twice as many as there are columns. Among equal weights the choice
 * is scattered over all rows.
 */
function heaviest(weights: Float64Array, width: number): Uint32Array {
  const scattered = (n: number): number => Math.imul(n, 2654435761) >>> 0;
  return Uint32Array.from({ length: weights.length }, (_, n) => n)
    .sort((a, b) => weights[b]! - weights[a]! || scattered(a) - scattered(b))
    .slice(0, 2 * (width + 1))
    .sort();
}

/**
 * A = L Lᵀ for a positive definite A of [n, n], of which only the lower triangle is read; it is overwritten with L.
 *
 * @returns solves A x = b, x in the place of b
 */
export function cholesky(A: Float64Array, n: number): (b: Float64Array) => void {
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = A[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= A[i * n + k]! * A[j * n + k]!;
      A[i * n + j] = i === j ? Math.sqrt(sum) : sum / A[j * n + j]!;
    }
  }
  return (b) => {
    for (let i = 0; i < n; i++) {
      let sum = b[i]!;
      for (let k = 0; k < i; k++) sum -= A[i * n + k]! * b[k]!;
      b[i] = sum / A[i * n + i]!;
    }
    for (let i = n - 1; i >= 0; i--) {
      let sum = b[i]!;
      for (let k = i + 1; k < n; k++) sum -= A[k * n + i]! * b[k]!;
      b[i] = sum / A[i * n + i]!;
    }
  };
}

const slice = 4_000_000; // multiplications in one slice: some milliseconds
const widest = 512; // columns up to which a Gram matrix is made and taken apart here

/**
 * A design in this process's own memory, for small problems and for where the device has no float64.
 *
 * @param features X, row by row; only read
 */
export function hostDesign(features: Float32Array | Float64Array, samples: number, width: number): Design {
  return {
    samples,
    width,

    *pass(coefficients, transform, gradient) {
      const classes = coefficients.length / width;
      const rows = Math.ceil(slice / (coefficients.length + 1));
      for (let first = 0; first < samples; first += rows) {
        if (first > 0) yield;
        const block = features.subarray(first * width, Math.min(first + rows, samples) * width);
        const products = new Float64Array((block.length / width) * classes);
        for (let at = 0, i = 0; i < block.length; i += width) {
          for (let k = 0; k < coefficients.length; k += width) {
            let sum = 0;
            for (let j = 0; j < width; j++) sum += block[i + j]! * coefficients[k + j]!;
            products[at++] = sum;
          }
        }
        transform(products, first);
        if (gradient === undefined) continue;
        for (let at = 0, i = 0; i < block.length; i += width) {
          for (let k = 0; k < coefficients.length; k += width) {
            const factor = products[at++]!;
            for (let j = 0; j < width; j++) gradient[k + j]! += factor * block[i + j]!;
          }
        }
      }
    },

    ...(width <= widest &&
      ({
        *gram(weights) {
          const matrix = new Float64Array(width * width);
          const sum = new Float64Array(width);
          let total = 0;
          let done = 0;
          for (const n of heaviest(weights, width)) {
            const w = weights[n]!;
            total += w;
            for (let i = 0; i < width; i++) {
              const product = w * features[n * width + i]!;
              sum[i]! += product;
              for (let j = 0; j <= i; j++) matrix[i * width + j]! += product * features[n * width + j]!;
            }
            done += (width * width) / 2;
            if (done > slice) {
              done = 0;
              yield;
            }
          }
          for (let i = 0; i < width; i++) matrix[i * width + i]! += 1;
          const solve = cholesky(matrix, width);
          return {
            sum,
            total,
            solve(rows) {
              const result = rows.slice();
              for (let at = 0; at < rows.length; at += width) solve(result.subarray(at, at + width));
              return result;
            },
            dispose: () => undefined,
          };
        },
      } satisfies Partial<Design>)),

    dispose: () => undefined,
  };
}

/** A design on the device, in float64 there. Native runtime only. @param blocks [rows, width] each; it takes them */
export function deviceDesign(blocks: readonly Float64[]): Design {
  const width = blocks[0]!.shape[1]!;
  const samples = blocks.reduce((sum, block) => sum + block.shape[0]!, 0);
  return {
    samples,
    width,

    *pass(coefficients, transform, gradient) {
      const classes = coefficients.length / width;
      const W = float64(coefficients, [classes, width]);
      let first = 0;
      for (const X of blocks) {
        if (first > 0) yield;
        const products = taken(matMulFloat64(X, W, false, true));
        transform(products, first);
        if (gradient !== undefined) {
          const R = float64(products, [X.shape[0]!, classes]);
          const part = taken(matMulFloat64(R, X, true));
          R.dispose();
          for (let i = 0; i < part.length; i++) gradient[i]! += part[i]!;
        }
        first += X.shape[0]!;
      }
      W.dispose();
    },

    *gram(weights) {
      const chosen = heaviest(weights, width);
      const sum = new Float64Array(width);
      let total = 0;
      let M = identity(width);
      let first = 0;
      for (const X of blocks) {
        const own = chosen.filter((n) => n >= first && n < first + X.shape[0]!);
        if (own.length > 0) {
          const w = Float64Array.from(own, (n) => weights[n]!);
          const rows = rowsFloat64(
            X,
            Int32Array.from(own, (n) => n - first),
          );
          const column = float64(w, [w.length, 1]);
          const weighted = mulFloat64(rows, column);
          const part = matMulFloat64(weighted, rows, true);
          const sums = taken(matMulFloat64(column, rows, true));
          for (let i = 0; i < width; i++) sum[i]! += sums[i]!;
          total += w.reduce((whole, each) => whole + each, 0);
          const more = addFloat64(M, part);
          for (const tensor of [rows, column, weighted, part, M]) tensor.dispose();
          M = more;
          yield;
        }
        first += X.shape[0]!;
      }
      const inverse = inverseFloat64(M);
      M.dispose();
      return {
        sum,
        total,
        solve(rows) {
          const B = float64(rows, [rows.length / width, width]);
          const solved = taken(matMulFloat64(B, inverse));
          B.dispose();
          return solved;
        },
        dispose: () => inverse.dispose(),
      };
    },

    dispose() {
      for (const block of blocks) block.dispose();
    },
  };
}

/** The values of a tensor, which is disposed of. */
function taken(tensor: Float64): Float64Array {
  const values = tensor.values();
  tensor.dispose();
  return values;
}

function identity(n: number): Float64 {
  const values = new Float64Array(n * n);
  for (let i = 0; i < n; i++) values[i * n + i] = 1;
  return float64(values, [n, n]);
}
