import { ALONG, blurWeights, DOWN } from '../kernels/blur-weights.js';
import { mirrored } from './mirrored.js';
import { blurByVectors } from './simd-blur.js';

/**
 * Blurs images of one size with a Gaussian of `kernel` × `kernel` taps, the image mirrored at its edges (without repeating them).
 *
 * The Gaussian is a product, so one pass goes down columns and one along rows, in integers, rounded at the end.
 */
export class Blur {
  private readonly most: number;
  private readonly weights: Int16Array;

  constructor(
    private readonly height: number,
    private readonly width: number,
    private readonly channels: number,
    kernel: number,
  ) {
    this.most = (kernel - 1) / 2;
    this.weights = new Int16Array(this.most + 3);
  }

  /** @param sigma standard deviation in pixels */
  apply(values: Uint8Array, sigma: number): void {
    const { height, width, channels, weights } = this;
    const reach = blurWeights(sigma, this.most, weights);
    if (reach === 0 || blurByVectors(values, height, width, channels, weights, reach)) return;
    blurPixels(values, height, width, channels, weights, reach);
  }
}

/** The same value by value. */
export function blurPixels(
  values: Uint8Array,
  height: number,
  width: number,
  channels: number,
  weights: Int16Array,
  reach: number,
): void {
  const pitch = width * channels;
  const between = new Int16Array(height * pitch);
  for (let y = 0; y < height; y++) {
    for (let i = 0; i < pitch; i++) {
      let sum = weights[0]! * values[y * pitch + i]! + (1 << (DOWN - 1));
      for (let k = 1; k <= reach; k++) {
        const both = values[mirrored(y - k, height) * pitch + i]! + values[mirrored(y + k, height) * pitch + i]!;
        sum += weights[1 + k]! * both;
      }
      between[y * pitch + i] = sum >> DOWN;
    }
  }
  for (let i = 0; i < height * pitch; i++) {
    const x = Math.floor((i % pitch) / channels);
    const edge = i - x * channels;
    let sum = weights[0]! * between[i]! + (1 << (ALONG - 1));
    for (let k = 1; k <= reach; k++) {
      const both =
        between[edge + mirrored(x - k, width) * channels]! + between[edge + mirrored(x + k, width) * channels]!;
      sum += weights[1 + k]! * both;
    }
    values[i] = sum >> ALONG;
  }
}
