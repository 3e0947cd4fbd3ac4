import { BLUE, GRAY_BITS, GREEN, RED } from './constants';
import { blueOf, greenOf, redOf } from './vectors';

function grayOf(r: v128, g: v128, b: v128): v128 {
  const weighted = i32x4.add(i32x4.mul(r, i32x4.splat(RED)), i32x4.mul(g, i32x4.splat(GREEN)));
  return i32x4.shr_s(i32x4.add(weighted, i32x4.mul(b, i32x4.splat(BLUE))), GRAY_BITS);
}

/** ⌊color · factor + level⌋ of four pixels. */
function blended(color: v128, factor: v128, level: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(color), factor), level));
}

/**
 * Blends pixels with their gray, four at a time: color · factor + gray · rest, each step in float32, cut to 0 to 255.
 *
 * Reads and writes 16 bytes a step, of which the next step takes the last four back: memory must go on for 16 bytes behind both areas.
 *
 * @param length bytes of red, green and blue
 */
export function blendGray(from: usize, to: usize, length: i32, factor: f32, rest: f32): void {
  const factors = f32x4.splat(factor);
  const rests = f32x4.splat(rest);
  const end = from + length;
  do {
    const pixels = v128.load(from);
    const r = redOf(pixels);
    const g = greenOf(pixels);
    const b = blueOf(pixels);
    const level = f32x4.mul(f32x4.convert_i32x4_s(grayOf(r, g, b)), rests);
    const rg = i16x8.narrow_i32x4_s(blended(r, factors, level), blended(g, factors, level));
    const bytes = i8x16.narrow_i16x8_u(rg, i16x8.narrow_i32x4_s(blended(b, factors, level), i32x4.splat(0)));
    v128.store(to, i8x16.shuffle(bytes, pixels, 0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11, 28, 29, 30, 31));
    from += 12;
    to += 12;
  } while (from < end);
}

/** Adds up the gray of pixels, four at a time, and writes four sums at `to`. Bytes up to a multiple of 12 must be zeros. */
export function sumGray(from: usize, to: usize, length: i32): void {
  let total = i32x4.splat(0);
  const end = from + length;
  do {
    const pixels = v128.load(from);
    total = i32x4.add(total, grayOf(redOf(pixels), greenOf(pixels), blueOf(pixels)));
    from += 12;
  } while (from < end);
  v128.store(to, total);
}
