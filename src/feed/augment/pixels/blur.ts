/** Bits after the point of a weight, and of a value between the two passes. */
const BITS = 14;
const BETWEEN = 8;

/**
 * Blurs images of one size with a Gaussian of `kernel` × `kernel` taps, the image mirrored at its edges (without repeating them).
 *
 * The Gaussian is a product, so one pass goes along rows and one along columns; taps that weigh nothing in 2^−14 are left out.
 */
export class Blur {
  private readonly weights: Int32Array;
  private readonly row: Uint8Array;
  private readonly between: Uint16Array;

  constructor(
    private readonly height: number,
    private readonly width: number,
    private readonly channels: number,
    private readonly kernel: number,
  ) {
    const most = (kernel - 1) / 2;
    this.weights = new Int32Array(most + 1);
    this.row = new Uint8Array((width + 2 * most) * channels);
    this.between = new Uint16Array((height + 2 * most) * width * channels);
  }

  /** @param sigma standard deviation in pixels */
  apply(values: Uint8Array, sigma: number): void {
    const { height, width, channels, weights, row, between } = this;
    const reach = this.weigh(sigma);
    if (reach === 0) return;
    const pitch = width * channels;
    const margin = reach * channels;
    for (let y = 0; y < height; y++) {
      const from = y * pitch;
      for (let i = 0; i < pitch; i++) row[margin + i] = values[from + i]!;
      for (let k = 1; k <= reach; k++) {
        for (let c = 0; c < channels; c++) {
          row[margin - k * channels + c] = row[margin + k * channels + c]!;
          row[margin + pitch + (k - 1) * channels + c] = row[margin + pitch - (k + 1) * channels + c]!;
        }
      }
      along(row, margin, channels, weights, reach, between, (y + reach) * pitch, pitch, BITS - BETWEEN);
    }
    for (let k = 1; k <= reach; k++) {
      const last = height - 1 + reach;
      between.copyWithin((reach - k) * pitch, (reach + k) * pitch, (reach + k + 1) * pitch);
      between.copyWithin((last + k) * pitch, (last - k) * pitch, (last - k + 1) * pitch);
    }
    along(between, reach * pitch, pitch, weights, reach, values, 0, height * pitch, BITS + BETWEEN);
  }

  /** Sets the weights from the middle outwards, which sum to one exactly, and says how many beside the middle count. */
  private weigh(sigma: number): number {
    const { weights, kernel } = this;
    const most = (kernel - 1) / 2;
    let sum = 1;
    for (let k = 1; k <= most; k++) sum += 2 * Math.exp(-((k / sigma) ** 2) / 2);
    let reach = 0;
    let outside = 0;
    for (let k = 1; k <= most; k++) {
      weights[k] = Math.round((2 ** BITS * Math.exp(-((k / sigma) ** 2) / 2)) / sum);
      outside += 2 * weights[k]!;
      if (weights[k]! > 0) reach = k;
    }
    weights[0] = 2 ** BITS - outside;
    return reach;
  }
}

/** Each of `count` values with its neighbours at multiples of `stride`, weighed, rounded and shifted down. */
function along(
  from: Uint8Array | Uint16Array,
  start: number,
  stride: number,
  weights: Int32Array,
  reach: number,
  to: Uint8Array | Uint16Array,
  at: number,
  count: number,
  shift: number,
): void {
  const half = 1 << (shift - 1);
  const middle = weights[0]!;
  for (let i = 0; i < count; i++) {
    const here = start + i;
    let sum = half + Math.imul(middle, from[here]!);
    for (let k = 1, off = stride; k <= reach; k++, off += stride) {
      sum += Math.imul(weights[k]!, from[here - off]! + from[here + off]!);
    }
    to[at + i] = sum >> shift;
  }
}
