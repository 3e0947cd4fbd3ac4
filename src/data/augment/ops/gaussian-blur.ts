import { WeirError } from '../../../flow/errors.js';
import { ALONG_SHIFT, BLUR_BITS, DOWN_SHIFT } from '../kernels/assembly/constants.js';
import { kernelsForOp, SPARE } from '../kernels/instance.js';
import { checkProbability, checkRange, imageShape, op, type Range } from './op.js';

/** Taps that weigh less than this are left out: together less than a tenth of a gray level. */
const LEAST = 1e-4;

/**
 * Sets the 16-bit weights of a Gaussian: of the middle, a 0 beside it, then outwards those of both sides, zeros behind them.
 *
 * @param sigma standard deviation in pixels
 * @param most taps on each side, at most
 * @param into takes `most + 3` weights
 * @returns how many taps on each side count
 */
export function blurWeights(sigma: number, most: number, into: Int16Array): number {
  const weight = (k: number): number => Math.exp(-((k / sigma) ** 2) / 2);
  let sum = 1;
  let reach = 0;
  for (; reach < most && weight(reach + 1) >= LEAST * sum; reach++) sum += 2 * weight(reach + 1);
  into.fill(0);
  let middle = 2 ** BLUR_BITS;
  for (let k = 1; k <= reach; k++) {
    into[1 + k] = Math.round((weight(k) / sum) * 2 ** BLUR_BITS);
    middle -= 2 * into[1 + k]!; // so that all add up to 1, and an even area stays as it was
  }
  into[0] = middle;
  return reach;
}

/** A place before or after a row of `extent`, mirrored into it without repeating its edge. */
const mirrored = (position: number, extent: number): number => {
  const inside = Math.abs(position);
  return inside < extent ? inside : 2 * (extent - 1) - inside;
};

const kernels = kernelsForOp();

/**
 * `blurPixels` in vectors of WebAssembly, to the bit the same.
 *
 * @returns false, with nothing done, where there are no vectors
 */
export function blurByVectors(
  values: Uint8Array,
  height: number,
  width: number,
  channels: number,
  weights: Int16Array,
  reach: number,
): boolean {
  const found = kernels();
  if (found === null) return false;
  const { memory, blurDown, blurAlong } = found;
  const pairs = (reach + 1) >> 1; // an odd last tap is paired with a weight of 0
  const length = width * channels;
  const stride = 2 * channels;
  const pitch = 2 * length + 4 * pairs * stride; // of a row between the passes, with its mirrored pixels
  const rows = (weights.byteLength + 3) & ~3;
  const between = rows + 4 * (height + 4 * pairs);
  const image = between + height * pitch + SPARE;
  const { buffer } = memory.whole(image);
  new Int16Array(buffer, 0, weights.length).set(weights);
  const begins = new Int32Array(buffer, rows, height + 4 * pairs);
  for (let i = 0; i < begins.length; i++) {
    begins[i] = image + length * Math.max(0, mirrored(i - 2 * pairs, height)); // a row too far has the weight 0
  }
  const first = between + 2 * pairs * stride;
  memory.through(image, values, height * length, (to) => {
    blurDown(rows + 8 * pairs, length, first, pitch, height, 0, pairs);
    blurAlong(first, pitch, to, length, height, stride, reach * stride, 0, pairs);
  });
  return true;
}

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

/** Blurs an image value by value. */
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
      let sum = weights[0]! * values[y * pitch + i]! + (1 << (DOWN_SHIFT - 1));
      for (let k = 1; k <= reach; k++) {
        const both = values[mirrored(y - k, height) * pitch + i]! + values[mirrored(y + k, height) * pitch + i]!;
        sum += weights[1 + k]! * both;
      }
      between[y * pitch + i] = sum >> DOWN_SHIFT;
    }
  }
  for (let i = 0; i < height * pitch; i++) {
    const x = Math.floor((i % pitch) / channels);
    const edge = i - x * channels;
    let sum = weights[0]! * between[i]! + (1 << (ALONG_SHIFT - 1));
    for (let k = 1; k <= reach; k++) {
      const both =
        between[edge + mirrored(x - k, width) * channels]! + between[edge + mirrored(x + k, width) * channels]!;
      sum += weights[1 + k]! * both;
    }
    values[i] = sum >> ALONG_SHIFT;
  }
}

export interface GaussianBlurOptions {
  /** Standard deviation in pixels, uniform; one number is always the same. */
  readonly sigma?: number | Range;
  /** Taps along each side, an odd number; by default as many as reach to three times the largest `sigma`. */
  readonly kernel?: number;
  readonly probability?: number;
}

/** Blurs an image with a Gaussian, by chance where a `probability` is given. */
export const gaussianBlur = op(
  'gaussianBlur',
  { sigma: 'optional', kernel: 'optional', probability: 'optional' },
  ({ sigma = [0.1, 2], kernel, probability = 1 }: GaussianBlurOptions = {}) => {
    const range: Range = typeof sigma === 'number' ? [sigma, sigma] : sigma;
    return { kernel: kernel ?? 2 * Math.ceil(3 * range[1]) + 1, sigma: range, probability };
  },
  {
    kind: 'pixels',
    prepare({ op, kernel, sigma, probability }, shape) {
      const [height, width, channels] = imageShape(op, shape);
      checkProbability(op, probability);
      checkRange(op, 'sigma', sigma, Number.MIN_VALUE, Infinity, 'give a number of pixels above 0, or [least, most]');
      const most = 2 * Math.min(height, width) - 1;
      if (!(Number.isInteger(kernel) && kernel > 0 && kernel % 2 === 1 && kernel <= most)) {
        throw new WeirError(
          `op '${op}' has kernel ${kernel} for images of ${height} × ${width}`,
          `give an odd number of pixels up to ${most}, or a smaller sigma: the edges are mirrored once`,
        );
      }
      const blur = new Blur(height, width, channels, kernel);
      return (values, random) => {
        const numbers = random();
        if (numbers.uniform() < probability) blur.apply(values, sigma[0] + (sigma[1] - sigma[0]) * numbers.uniform());
      };
    },
  },
);
