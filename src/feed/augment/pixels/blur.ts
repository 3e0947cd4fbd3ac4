import { type Along, alongMany, alongSix, alongThree } from './along.js';

/** Taps that weigh less than this are left out: together less than a tenth of a grey level. */
const LEAST = 1e-4;

/**
 * Blurs images of one size with a Gaussian of `kernel` × `kernel` taps, the image mirrored at its edges (without repeating them).
 *
 * The Gaussian is a product, so one pass goes along rows and one along columns, in doubles, rounded at the end.
 */
export class Blur {
  private readonly most: number;
  /** Room for the mirrored edges: `alongSix` looks so far, whatever it weighs with 0. */
  private readonly margin: number;
  private readonly weights: Float64Array;
  private readonly row: Float64Array;
  private readonly rows: Float64Array;
  private readonly out: Float64Array;

  constructor(
    private readonly height: number,
    private readonly width: number,
    private readonly channels: number,
    kernel: number,
  ) {
    this.most = (kernel - 1) / 2;
    this.margin = Math.max(6, this.most);
    this.weights = new Float64Array(1 + this.margin);
    this.row = new Float64Array((width + 2 * this.margin) * channels);
    this.rows = new Float64Array((height + 2 * this.margin) * width * channels);
    this.out = new Float64Array(height * width * channels);
  }

  /** @param sigma standard deviation in pixels */
  apply(values: Uint8Array, sigma: number): void {
    const reach = this.weigh(sigma);
    if (reach === 0) return;
    const along = reach <= 3 ? alongThree : reach <= 6 ? alongSix : alongMany;
    this.alongRows(along, reach, values);
    const { height, width, channels, margin, rows, weights, out } = this;
    const pitch = width * channels;
    const first = margin;
    const last = margin + height - 1;
    for (let k = 1; k <= reach; k++) {
      rows.copyWithin((first - k) * pitch, (first + k) * pitch, (first + k + 1) * pitch);
      rows.copyWithin((last + k) * pitch, (last - k) * pitch, (last - k + 1) * pitch);
    }
    along(weights, reach, rows, first * pitch, pitch, out, 0, height * pitch);
    for (let i = 0; i < out.length; i++) values[i] = out[i]! + 0.5;
  }

  private alongRows(along: Along, reach: number, values: Uint8Array): void {
    const { height, width, channels, margin, weights, row, rows } = this;
    const pitch = width * channels;
    const first = margin * channels;
    const last = first + pitch - channels;
    for (let y = 0; y < height; y++) {
      row.set(values.subarray(y * pitch, (y + 1) * pitch), first);
      for (let k = channels; k <= reach * channels; k += channels) {
        for (let c = 0; c < channels; c++) {
          row[first - k + c] = row[first + k + c]!;
          row[last + k + c] = row[last - k + c]!;
        }
      }
      along(weights, reach, row, first, channels, rows, (margin + y) * pitch, pitch);
    }
  }

  /** Sets the weights from the middle outwards, and says how many on each side count. */
  private weigh(sigma: number): number {
    const { weights, most } = this;
    let sum = 1;
    let reach = 0;
    weights.fill(0);
    weights[0] = 1;
    for (let k = 1; k <= most; k++) {
      const weight = Math.exp(-((k / sigma) ** 2) / 2);
      if (weight < LEAST * sum) break;
      weights[k] = weight;
      sum += 2 * weight;
      reach = k;
    }
    for (let k = 0; k <= reach; k++) weights[k]! /= sum;
    return reach;
  }
}
