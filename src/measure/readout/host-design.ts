import { cholesky } from './cholesky.js';
import { type Design, heaviest } from './readout-design.js';

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

    *pass(coefficients, turn, gradient) {
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
        turn(products, first);
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
