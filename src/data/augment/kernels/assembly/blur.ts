import { ALONG_SHIFT, DOWN_SHIFT } from './constants';
import { weighedHigh, weighedLow } from './resample';

/** Eight bytes, as 16-bit numbers, of the row whose address stands at `row`. */
function bytesOf(row: usize, x: usize): v128 {
  return v128.load_ext<u8>(load<usize>(row) + x);
}

/**
 * The pass down columns, from bytes to 16-bit numbers: `height` rows of `length` values, eight values a step. The next row takes back
 * what a last step writes too much.
 *
 * @param rows points into a list of addresses of rows, at the first; the mirrored ones stand before and behind
 * @param to the first row of 16-bit numbers, each `pitch` bytes behind the one before it
 * @param weights address of the middle's weight and a 0, then `pairs` pairs outwards
 */
export function blurDown(
  rows: usize,
  length: i32,
  to: usize,
  pitch: i32,
  height: i32,
  weights: usize,
  pairs: i32,
): void {
  const half = i32x4.splat(1 << (DOWN_SHIFT - 1));
  for (let y = 0; y < height; y++, rows += 4, to += pitch) {
    let x = 0;
    do {
      const middle = bytesOf(rows, x);
      const own = v128.load32_splat(weights);
      let low = i32x4.add(half, weighedLow(middle, i8x16.splat(0), own));
      let high = i32x4.add(half, weighedHigh(middle, i8x16.splat(0), own));
      let above = rows;
      let below = rows;
      let weight = weights;
      let pair = pairs;
      do {
        const near = i16x8.add(bytesOf(above - 4, x), bytesOf(below + 4, x));
        const far = i16x8.add(bytesOf(above - 8, x), bytesOf(below + 8, x));
        above -= 8;
        below += 8;
        weight += 4;
        const both = v128.load32_splat(weight);
        low = i32x4.add(low, weighedLow(near, far, both));
        high = i32x4.add(high, weighedHigh(near, far, both));
      } while (--pair);
      v128.store(to + 2 * x, i16x8.narrow_i32x4_s(i32x4.shr_s(low, DOWN_SHIFT), i32x4.shr_s(high, DOWN_SHIFT)));
      x += 8;
    } while (x < length);
  }
}

/** Writes `reach` bytes of mirrored pixels on both sides of a row of `length` 16-bit numbers, `stride` bytes from pixel to pixel. */
function mirrorEdges(row: usize, length: i32, stride: i32, reach: i32): void {
  for (let c = 0; c < stride; c += 2) {
    const first = row + c;
    const last = first + 2 * length - stride;
    for (let k = stride; k <= reach; k += stride) {
      store<u16>(first - k, load<u16>(first + k));
      store<u16>(last + k, load<u16>(last - k));
    }
  }
}

/**
 * The pass along rows, from 16-bit numbers to bytes: `height` rows of `length` values, eight values a step.
 *
 * @param from the first row, each `pitch` bytes behind the one before it, with room on both sides for the pixels of all pairs
 * @param stride bytes from pixel to pixel
 * @param reach bytes that are mirrored on both sides
 * @param weights as of `blurDown`
 */
export function blurAlong(
  from: usize,
  pitch: i32,
  to: usize,
  length: i32,
  height: i32,
  stride: i32,
  reach: i32,
  weights: usize,
  pairs: i32,
): void {
  const half = i32x4.splat(1 << (ALONG_SHIFT - 1));
  for (let y = 0; y < height; y++, from += pitch, to += length) {
    mirrorEdges(from, length, stride, reach);
    let x = 0;
    do {
      let left = from + 2 * x;
      let right = left;
      let weight = weights;
      const middle = v128.load(left);
      const own = v128.load32_splat(weights);
      let low = i32x4.add(half, weighedLow(middle, i8x16.splat(0), own));
      let high = i32x4.add(half, weighedHigh(middle, i8x16.splat(0), own));
      let pair = pairs;
      do {
        left -= stride;
        right += stride;
        const near = i16x8.add(v128.load(left), v128.load(right));
        left -= stride;
        right += stride;
        const far = i16x8.add(v128.load(left), v128.load(right));
        weight += 4;
        const both = v128.load32_splat(weight);
        low = i32x4.add(low, weighedLow(near, far, both));
        high = i32x4.add(high, weighedHigh(near, far, both));
      } while (--pair);
      const sums = i16x8.narrow_i32x4_s(i32x4.shr_s(low, ALONG_SHIFT), i32x4.shr_s(high, ALONG_SHIFT));
      v128.store64_lane(to + x, i8x16.narrow_i16x8_u(sums, sums), 0);
      x += 8;
    } while (x < length);
  }
}
