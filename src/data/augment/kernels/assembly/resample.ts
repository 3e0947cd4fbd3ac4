/** a · first weight + b · second weight, for the lower four of eight 16-bit numbers. `weights` holds the two weights four times. */
export function weighedLow(a: v128, b: v128, weights: v128): v128 {
  return i32x4.dot_i16x8_s(i8x16.shuffle(a, b, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23), weights);
}

/** The same for the upper four. */
export function weighedHigh(a: v128, b: v128, weights: v128): v128 {
  return i32x4.dot_i16x8_s(i8x16.shuffle(a, b, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31), weights);
}

/**
 * The colors of two pixels that lie side by side, weighted and added: three sums of 32 bits, then a 0.
 *
 * @param weights address of two 16-bit weights
 */
function pairSum(pixels: usize, weights: usize): v128 {
  const bytes = v128.load64_zero(pixels);
  const colors = i8x16.shuffle(bytes, i8x16.splat(0), 0, 16, 3, 16, 1, 16, 4, 16, 2, 16, 5, 16, 16, 16, 16, 16);
  return i32x4.dot_i16x8_s(colors, v128.load32_splat(weights));
}

/** The address of the pixel whose number stands at `entry`, of a row that begins at `row`. */
function pixelAt(row: usize, entry: usize): usize {
  return row + 3 * load<usize>(entry);
}

/**
 * Resamples rows of red, green and blue: each of `width` pixels from `pairs` pairs of taps.
 *
 * Reads eight bytes of a pair and writes four of a pixel, of which the next pixel takes the last back: memory must go on behind both.
 *
 * @param from the first row, each `pitch` bytes behind the one before it; rows are written without a gap
 * @param first address of each entry's first tap
 * @param weights address of each entry's pairs of 16-bit weights, with `bits` after the point
 */
export function resampleAcross(
  from: usize,
  pitch: i32,
  to: usize,
  height: i32,
  width: i32,
  first: usize,
  weights: usize,
  pairs: i32,
  bits: i32,
): void {
  const half = i32x4.splat(1 << (bits - 1));
  for (let y = 0; y < height; y++, from += pitch) {
    let weight = weights;
    let entry = first;
    let x = width;
    do {
      let tap = pixelAt(from, entry);
      let sum = half;
      let left = pairs;
      do {
        sum = i32x4.add(sum, pairSum(tap, weight));
        tap += 6;
        weight += 4;
      } while (--left);
      sum = i32x4.shr_s(sum, bits);
      sum = i16x8.narrow_i32x4_s(sum, sum);
      v128.store32_lane(to, i8x16.narrow_i16x8_u(sum, sum), 0);
      to += 3;
      entry += 4;
    } while (--x);
  }
}

/** A pixel from one pair of taps. */
function pixelOf(row: usize, entry: usize, weights: usize, half: v128, bits: i32): v128 {
  return i32x4.shr_s(i32x4.add(half, pairSum(pixelAt(row, entry), weights)), bits);
}

/**
 * `resampleAcross` where one pair of taps makes a pixel, as in every enlargement: four pixels a step. The next row takes back what a last
 * step writes too much; entries and weights must go on to a multiple of four.
 */
export function enlargeAcross(
  from: usize,
  pitch: i32,
  to: usize,
  height: i32,
  width: i32,
  first: usize,
  weights: usize,
  bits: i32,
): void {
  const half = i32x4.splat(1 << (bits - 1));
  for (let y = 0; y < height; y++, from += pitch, to += 3 * width) {
    let entry = first;
    let weight = weights;
    let target = to;
    const end = to + 3 * width;
    do {
      const a = pixelOf(from, entry, weight, half, bits);
      const b = pixelOf(from, entry + 4, weight + 4, half, bits);
      const c = pixelOf(from, entry + 8, weight + 8, half, bits);
      const d = pixelOf(from, entry + 12, weight + 12, half, bits);
      const bytes = i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d));
      const colors = i8x16.shuffle(bytes, i8x16.splat(0), 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 16, 16, 16, 16);
      v128.store(target, colors);
      entry += 16;
      weight += 16;
      target += 12;
    } while (target < end);
  }
}

/**
 * Resamples columns: each of `height` rows of `length` bytes from `pairs` pairs of rows of the same length, 16 bytes a step. The next row
 * takes back what a last step writes too much: memory must go on behind both areas.
 *
 * @param first address of each row's first tap
 * @param weights address of each row's pairs of 16-bit weights, with `bits` after the point
 */
export function resampleDown(
  from: usize,
  length: i32,
  to: usize,
  height: i32,
  first: usize,
  weights: usize,
  pairs: i32,
  bits: i32,
): void {
  const half = i32x4.splat(1 << (bits - 1));
  for (let y = 0; y < height; y++, to += length, first += 4, weights += 4 * pairs) {
    const top = from + length * load<i32>(first);
    let x = 0;
    do {
      let tap = top + x;
      let weight = weights;
      let s0 = half;
      let s1 = half;
      let s2 = half;
      let s3 = half;
      let left = pairs;
      do {
        const a = v128.load(tap);
        const b = v128.load(tap + length);
        const w = v128.load32_splat(weight);
        const lowA = i16x8.extend_low_i8x16_u(a);
        const lowB = i16x8.extend_low_i8x16_u(b);
        s0 = i32x4.add(s0, weighedLow(lowA, lowB, w));
        s1 = i32x4.add(s1, weighedHigh(lowA, lowB, w));
        const highA = i16x8.extend_high_i8x16_u(a);
        const highB = i16x8.extend_high_i8x16_u(b);
        s2 = i32x4.add(s2, weighedLow(highA, highB, w));
        s3 = i32x4.add(s3, weighedHigh(highA, highB, w));
        tap += 2 * length;
        weight += 4;
      } while (--left);
      const low = i16x8.narrow_i32x4_s(i32x4.shr_s(s0, bits), i32x4.shr_s(s1, bits));
      const high = i16x8.narrow_i32x4_s(i32x4.shr_s(s2, bits), i32x4.shr_s(s3, bits));
      v128.store(to + x, i8x16.narrow_i16x8_u(low, high));
      x += 16;
    } while (x < length);
  }
}

/** Bytes of five pixels of red, green and blue, which are read and written in one step. */
const MIRROR_STEP = 15;

/**
 * Mirrors `height` rows of `length` bytes of red, green and blue left to right.
 *
 * The last step of a row may read before it and write into the next row, which is written later: memory must go on for 16 bytes before
 * and behind both areas.
 */
export function mirrorRows(from: usize, to: usize, length: i32, height: i32): void {
  for (let y = 0; y < height; y++, from += length, to += length) {
    let source = from + length;
    let target = to;
    const end = to + length;
    do {
      source -= MIRROR_STEP;
      const pixels = v128.load(source);
      v128.store(target, i8x16.shuffle(pixels, i8x16.splat(0), 12, 13, 14, 9, 10, 11, 6, 7, 8, 3, 4, 5, 0, 1, 2, 16));
      target += MIRROR_STEP;
    } while (target < end);
  }
}
