/** A part of an image, in pixels. */
export interface Box {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** For each place of the output: where its taps begin, how many there are, and their weights, `most` a place. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly weights: Float64Array;
  readonly most: number;
}

/**
 * Cuts a box out of an image and resizes it: bilinear, antialiased where it shrinks, pixels as areas with their centres at halves. It
 * is what `resized_crop` of torchvision v2 does to float tensors.
 *
 * Weights for a length are made once and kept, for a crop has few different lengths. The result may be written over the image.
 */
export function resampler([height, width, channels]: readonly [number, number, number]) {
  const rows = new Float32Array(height * width * channels); // resized across, not yet down
  const kept = new Map<number, Taps>();
  const taps = (from: number, to: number): Taps => {
    const key = from * 65536 + to;
    let known = kept.get(key);
    if (known === undefined) {
      known = triangle(from, to);
      kept.set(key, known);
    }
    return known;
  };

  return (image: Float32Array, box: Box, out: Float32Array): void => {
    const across = taps(box.width, width);
    const down = taps(box.height, height);
    const row = width * channels;
    const { top, left } = box;
    for (let y = 0; y < box.height; y++) {
      const from = ((top + y) * width + left) * channels;
      for (let x = 0; x < width; x++) {
        sums(image, from + across.first[x]! * channels, channels, channels, across, x, rows, y * row + x * channels);
      }
    }
    for (let y = 0; y < height; y++) sums(rows, down.first[y]! * row, row, row, down, y, out, y * row);
  };
}

/** A triangle as wide as a pixel of the output, or of the input where that is wider; the part of it inside counts as the whole. */
function triangle(from: number, to: number): Taps {
  const scale = from / to;
  const support = Math.max(1, scale);
  const most = 2 * Math.ceil(support) + 1;
  const first = new Int32Array(to);
  const count = new Int32Array(to);
  const weights = new Float64Array(to * most);
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
    const begin = Math.max(0, Math.floor(centre - support + 0.5));
    const end = Math.min(from, Math.floor(centre + support + 0.5));
    let sum = 0;
    for (let j = begin; j < end; j++) {
      const weight = Math.max(0, 1 - Math.abs(j + 0.5 - centre) / support);
      weights[i * most + j - begin] = weight;
      sum += weight;
    }
    for (let j = begin; j < end; j++) weights[i * most + j - begin]! /= sum;
    first[i] = begin;
    count[i] = end - begin;
  }
  return { first, count, weights, most };
}

/** out[to + i] = Σ_t weight_t · from[start + t · step + i], the taps of `place`, for `length` values in a row. */
function sums(
  from: Float32Array,
  start: number,
  step: number,
  length: number,
  { count, weights, most }: Taps,
  place: number,
  out: Float32Array,
  to: number,
): void {
  const begin = place * most;
  const end = begin + count[place]!;
  let i = 0;
  for (; i + 2 < length; i += 3) {
    // three values at once, so that weights and places are looked up once for all
    let a = 0;
    let b = 0;
    let c = 0;
    for (let t = begin, at = start + i; t < end; t++, at += step) {
      const weight = weights[t]!;
      a += weight * from[at]!;
      b += weight * from[at + 1]!;
      c += weight * from[at + 2]!;
    }
    out[to + i] = a;
    out[to + i + 1] = b;
    out[to + i + 2] = c;
  }
  for (; i < length; i++) {
    let sum = 0;
    for (let t = begin, at = start + i; t < end; t++, at += step) sum += weights[t]! * from[at]!;
    out[to + i] = sum;
  }
}
