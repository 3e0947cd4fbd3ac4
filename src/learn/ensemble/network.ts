import type { EnsembleLayout } from './ensemble.js';

/** The same polynomial as in kernels/gelu.h: erfcx(|z|/√2)/2 over t = 1/(1 + 0.3|z|), largest relative error 6e-8. */
const coefficients = [
  0.038334685598783544, -0.1689539092909493, 0.2282211501801387, -0.07600375845930184, 0.1421877631138254,
  0.09483190277367265, 0.12188230918149422, 0.11949303091066255, 6.854671020518263e-6,
];

/** The distribution function of the standard normal law, within 6e-8 of itself. */
export function cumulative(z: number): number {
  const a = Math.abs(z);
  const t = 1 / (1 + 0.3 * a);
  let r = 0;
  for (const c of coefficients) r = r * t + c;
  const tail = Math.exp(-0.5 * a * a) * r;
  return z > 0 ? 1 - tail : tail;
}

/** The slope of gelu at z, given N(z): N(z) + z n(z). */
const slopeOf = (z: number, cumulative: number): number => cumulative + z * Math.exp(-0.5 * z * z) * 0.3989422804014327;

/** The forward pass of one point through one network, in memory that every point fills again. */
export interface ForwardPass {
  /** The input of each layer; the first is the point. */
  readonly inputs: readonly Float64Array[];
  /** Slopes of the activation behind each layer but the last. */
  readonly slopes: readonly Float64Array[];
  readonly logits: Float64Array;
}

export function allocatePass({ layers }: EnsembleLayout): ForwardPass {
  return {
    inputs: layers.map((layer) => new Float64Array(layer.in)),
    slopes: layers.slice(0, -1).map((layer) => new Float64Array(layer.out)),
    logits: new Float64Array(layers[layers.length - 1]!.out),
  };
}

/**
 * Forward through one network on the main thread, in float64: for networks of some hundred weights.
 *
 * @param rows networks one after the other, of which one begins at `row`
 * @param pass `inputs[0]` holds the point; the rest is filled
 */
export function forward({ layers }: EnsembleLayout, rows: Float32Array, row: number, pass: ForwardPass): void {
  const last = layers.length - 1;
  layers.forEach((layer, l) => {
    const input = pass.inputs[l]!;
    const output = l === last ? pass.logits : pass.inputs[l + 1]!;
    for (let o = 0; o < layer.out; o++) {
      let z = rows[row + layer.bias + o]!;
      for (let i = 0, at = row + layer.kernel + o; i < layer.in; i++, at += layer.out) z += input[i]! * rows[at]!;
      z *= layer.scale;
      if (l === last) output[o] = z;
      else {
        const n = cumulative(z);
        output[o] = z * n;
        pass.slopes[l]![o] = slopeOf(z, n) * layer.scale;
      }
    }
  });
}

/** Softmax cross-entropy of logits, in nats. `rest` receives the sums of 1 − p of the label, exact where p is near 1. */
export function crossEntropyOf(logits: Float64Array, label: number, rest: { others: number; total: number }): number {
  let top = logits[0]!;
  for (const z of logits) if (z > top || Number.isNaN(z)) top = z;
  rest.total = 0;
  rest.others = 0;
  for (let j = 0; j < logits.length; j++) {
    const e = Math.exp(logits[j]! - top);
    rest.total += e;
    if (j !== label) rest.others += e;
  }
  const own = logits[label]!;
  return own < top ? Math.log(rest.total) + (top - own) : Math.log1p(rest.others);
}

/** The class of the largest logit, ties to the lower one. */
export function classOf(logits: Float64Array): number {
  let best = 0;
  for (let j = 1; j < logits.length; j++) if (logits[j]! > logits[best]!) best = j;
  return best;
}
