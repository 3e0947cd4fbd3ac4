import { HUE_BITS } from './constants';
import { blueOf, greenOf, redOf } from './vectors';

/** x between 0 and most. */
function cut(x: v128, most: v128): v128 {
  return i32x4.min_s(i32x4.max_s(x, i32x4.splat(0)), most);
}

/** A level with its fraction back to a byte: `level` of ops/color.ts. */
function byteOf(level: v128): v128 {
  return i32x4.shr_s(i32x4.add(level, i32x4.shr_s(level, 8)), HUE_BITS);
}

/** Adds the whole circle where the hue is negative. */
function wrapped(hue: v128, circle: v128): v128 {
  return i32x4.add(hue, v128.and(circle, i32x4.shr_s(hue, 31)));
}

/**
 * Turns the hue of pixels of red, green and blue, four at a time; ops/color.ts, `turnPixels`, has the same for one pixel and says why.
 *
 * Reads and writes 16 bytes a step, of which the next step takes the last four back: memory must go on for 16 bytes behind both areas.
 * The two areas are apart, for a processor that reads bytes which it has just written in two parts waits for them.
 *
 * @param length bytes
 * @param shift sixths of the circle, times 2 ** HUE_BITS
 */
export function turnHue(from: usize, to: usize, length: i32, shift: i32): void {
  const shifts = i32x4.splat(shift);
  const end = from + length;
  do {
    const pixels = v128.load(from);
    const r = redOf(pixels);
    const g = greenOf(pixels);
    const b = blueOf(pixels);
    const min = i32x4.min_s(i32x4.min_s(r, g), b);
    const max = i32x4.max_s(i32x4.max_s(r, g), b);
    const d = i32x4.sub(max, min);
    const notR = i32x4.lt_s(r, max);
    const isB = v128.and(notR, i32x4.lt_s(g, max));
    const isG = v128.andnot(notR, isB);

    let sixths = v128.andnot(i32x4.sub(g, b), notR); // of the circle, times d
    sixths = i32x4.add(sixths, v128.and(i32x4.add(i32x4.sub(b, r), i32x4.shl(d, 1)), isG));
    sixths = i32x4.add(sixths, v128.and(i32x4.add(i32x4.sub(r, g), i32x4.shl(d, 2)), isB));

    const D = i32x4.shl(d, HUE_BITS);
    const D2 = i32x4.shl(d, HUE_BITS + 1);
    const D3 = i32x4.add(D2, D);
    const D4 = i32x4.add(D2, D2);
    const D6 = i32x4.add(D2, i32x4.shl(d, HUE_BITS + 2));
    let hue = i32x4.add(i32x4.shl(sixths, HUE_BITS), i32x4.mul(d, shifts));
    hue = wrapped(i32x4.sub(wrapped(hue, D6), D6), D6);

    const low = i32x4.shl(min, HUE_BITS);
    const newR = byteOf(i32x4.add(low, cut(i32x4.sub(i32x4.abs(i32x4.sub(hue, D3)), D), D)));
    const newG = byteOf(i32x4.add(low, cut(i32x4.sub(D2, i32x4.abs(i32x4.sub(hue, D2))), D)));
    const newB = byteOf(i32x4.add(low, cut(i32x4.sub(D2, i32x4.abs(i32x4.sub(hue, D4))), D)));

    const rg = i8x16.shuffle(newR, newG, 0, 16, 0, 4, 20, 0, 8, 24, 0, 12, 28, 0, 0, 0, 0, 0);
    const rest = i8x16.shuffle(newB, pixels, 0, 0, 0, 0, 0, 4, 0, 0, 8, 0, 0, 12, 28, 29, 30, 31);
    v128.store(to, i8x16.shuffle(rg, rest, 0, 1, 18, 3, 4, 21, 6, 7, 24, 9, 10, 27, 28, 29, 30, 31));
    from += 12;
    to += 12;
  } while (from < end);
}
