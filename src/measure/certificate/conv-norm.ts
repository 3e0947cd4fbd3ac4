import { type ConvLayer, type Weights, weight } from '../../learn/model/model-model.js';
import type { ByNorm } from '../../learn/model/part.js';
import type { tf } from '../../tensorflow/device-tf.js';
import { convSigmaAtMost } from './conv-sigma.js';
import { folded, type Kernel, tapsAlong } from './taps.js';

/**
 * The norms of a convolution layer induced by ℓp on both sides, with the batch normalization behind it by its scales in evaluation
 * mode, none of them from below.
 *
 * p = 1 and p = ∞ are the largest absolute sums over the outputs that an input reaches and over the inputs that an output sees, exact
 * for the layer's own padding and size, in float64. p = 2 is a bound: that of `convSigmaAtMost`, or √(p = 1 · p = ∞)
 * (Riesz and Thorin) where it is smaller.
 */
export function convNorms(weights: Weights, layer: ConvLayer): ByNorm<number> {
  const kernel = weight<tf.Tensor4D>(weights, layer.kernel);
  const scales = scalesOf(weights, layer);
  const whole = folded(kernel.dataSync<'float32'>(), kernel.shape, scales, layer);
  const [along, across] = ([0, 1] as const).map((axis) =>
    tapsAlong(
      layer.inputSize[axis],
      axis === 0 ? whole.rows : whole.columns,
      layer.stride,
      layer.padding,
      Math.floor((kernel.shape[axis] - 1) / 2),
    ),
  ) as [ReturnType<typeof tapsAlong>, ReturnType<typeof tapsAlong>];
  const l1 = largestSum(whole, along.ofInput, across.ofInput, 'input');
  const linf = largestSum(whole, along.ofOutput, across.ofOutput, 'output');
  return { l1, l2: Math.min(convSigmaAtMost(whole, along, across), Math.sqrt(l1 * linf)), linf };
}

/** γ/√(running variance + ε) of each output channel, where a batch normalization follows. */
function scalesOf(weights: Weights, { normalization }: ConvLayer): Float64Array | undefined {
  if (normalization === undefined) return undefined;
  const variance = weight(weights, normalization.variance).dataSync();
  const scale = weight(weights, normalization.scale).dataSync();
  return Float64Array.from(scale, (gamma, o) => gamma / Math.sqrt(variance[o]! + normalization.epsilon));
}

/** The largest sum of |kernel| over a set of rows, a set of columns and the other side's channels, for one channel of `side`. */
function largestSum(
  { rows, columns, inputs, outputs, values }: Kernel,
  rowSets: readonly (readonly number[])[],
  columnSets: readonly (readonly number[])[],
  side: 'input' | 'output',
): number {
  const channels = side === 'input' ? inputs : outputs;
  const sums = new Float64Array(rows * columns * channels); // over the other side's channels, by tap
  for (let tap = 0, at = 0; tap < rows * columns; tap++) {
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < outputs; o++, at++) {
        sums[tap * channels + (side === 'input' ? i : o)]! += Math.abs(values[at]!);
      }
    }
  }
  let largest = 0;
  for (const down of rowSets) {
    for (const over of columnSets) {
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (const r of down) for (const c of over) sum += sums[(r * columns + c) * channels + channel]!;
        largest = Math.max(largest, sum);
      }
    }
  }
  return largest;
}
