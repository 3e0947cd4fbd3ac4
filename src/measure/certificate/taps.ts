import type { ConvLayer, Padding } from '../../learn/model/model-model.js';

/** Which rows (or columns) of a kernel meet an input along one axis of an image; sets that are equal are listed once. */
export interface Taps {
  /** For each place of the output, the taps that meet an input. */
  readonly ofOutput: readonly (readonly number[])[];
  /** For each place of the input, the taps by which it meets an output. */
  readonly ofInput: readonly (readonly number[])[];
}

/**
 * The output at o sees the input at o·stride + tap − ⌊(taps − 1)/2⌋, for ⌈size/stride⌉ outputs; beyond the edge there are the
 * opposite inputs, or nothing.
 *
 * @param taps length of the kernel along the axis; for circular padding at most `size` (`folded`)
 */
export function tapsAlong(size: number, taps: number, stride: number, padding: Padding, before: number): Taps {
  const ofInput: number[][] = Array.from({ length: size }, () => []);
  const ofOutput: number[][] = [];
  for (let o = 0; o < Math.ceil(size / stride); o++) {
    const met: number[] = [];
    for (let tap = 0; tap < taps; tap++) {
      const at = o * stride + tap - before;
      const place = padding === 'circular' ? ((at % size) + size) % size : at;
      if (place < 0 || place >= size) continue;
      met.push(tap);
      ofInput[place]!.push(tap);
    }
    ofOutput.push(met);
  }
  return { ofOutput: distinct(ofOutput), ofInput: distinct(ofInput) };
}

const distinct = (sets: readonly number[][]): readonly number[][] => [
  ...new Map(sets.map((set) => [set.join(), set])).values(),
];

/** A kernel as a bound needs it: HWIO in float64. */
export interface Kernel {
  readonly rows: number;
  readonly columns: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly values: Float64Array;
}

/**
 * The kernel with what follows it taken in: each output channel times its scale, and with circular padding the taps that meet the
 * same input, in a kernel larger than its image, added up.
 *
 * @param scales one an output channel
 */
export function folded(
  values: Float32Array,
  [rows, columns, inputs, outputs]: readonly [number, number, number, number],
  scales: Float64Array | undefined,
  { inputSize, padding }: Pick<ConvLayer, 'inputSize' | 'padding'>,
): Kernel {
  const height = padding === 'circular' ? Math.min(rows, inputSize[0]) : rows;
  const width = padding === 'circular' ? Math.min(columns, inputSize[1]) : columns;
  const sums = new Float64Array(height * width * inputs * outputs);
  for (let r = 0, at = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      let to = ((r % height) * width + (c % width)) * inputs * outputs;
      for (let i = 0; i < inputs; i++) {
        for (let o = 0; o < outputs; o++, at++, to++) sums[to]! += values[at]! * (scales?.[o] ?? 1);
      }
    }
  }
  return { rows: height, columns: width, inputs, outputs, values: sums };
}
