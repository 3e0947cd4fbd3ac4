import {
  addFloat64,
  type Float64,
  float64,
  inverseFloat64,
  matMulFloat64,
  mulFloat64,
  rowsFloat64,
} from '../../tensorflow/ops/float64.js';
import { type Design, heaviest } from './readout-design.js';

/** A design on the device, in float64 there. Native runtime only. @param blocks [rows, width] each; it takes them */
export function deviceDesign(blocks: readonly Float64[]): Design {
  const width = blocks[0]!.shape[1]!;
  const samples = blocks.reduce((sum, block) => sum + block.shape[0]!, 0);
  return {
    samples,
    width,

    *pass(coefficients, turn, gradient) {
      const classes = coefficients.length / width;
      const W = float64(coefficients, [classes, width]);
      let first = 0;
      for (const X of blocks) {
        if (first > 0) yield;
        const products = taken(matMulFloat64(X, W, false, true));
        turn(products, first);
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

/** Its values; it is disposed of. */
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
