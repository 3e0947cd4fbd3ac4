import { BLUE, BYTE_TABLE, FLOAT_TABLES, GRAY_BITS, GREEN, HUE_BITS, LOOK_UP_STEP, RED } from './constants';

/** One color of the first four pixels in 16 bytes of red, green and blue, each widened to 32 bits. */
function redOf(pixels: v128): v128 {
  return i8x16.shuffle(pixels, i8x16.splat(0), 0, 16, 16, 16, 3, 16, 16, 16, 6, 16, 16, 16, 9, 16, 16, 16);
}
function greenOf(pixels: v128): v128 {
  return i8x16.shuffle(pixels, i8x16.splat(0), 1, 16, 16, 16, 4, 16, 16, 16, 7, 16, 16, 16, 10, 16, 16, 16);
}
function blueOf(pixels: v128): v128 {
  return i8x16.shuffle(pixels, i8x16.splat(0), 2, 16, 16, 16, 5, 16, 16, 16, 8, 16, 16, 16, 11, 16, 16, 16);
}

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

/**
 * Every byte through the table at BYTE_TABLE, LOOK_UP_STEP of them a step.
 *
 * WebAssembly has no vector of look-ups. The gain is that no index is checked, which in JavaScript takes longer than all else.
 */
export function lookUpBytes(from: usize, to: usize, length: i32): void {
  const end = from + length;
  do {
    store<u8>(to, load<u8>(load<u8>(from), BYTE_TABLE));
    store<u8>(to, load<u8>(load<u8>(from, 1), BYTE_TABLE), 1);
    store<u8>(to, load<u8>(load<u8>(from, 2), BYTE_TABLE), 2);
    store<u8>(to, load<u8>(load<u8>(from, 3), BYTE_TABLE), 3);
    store<u8>(to, load<u8>(load<u8>(from, 4), BYTE_TABLE), 4);
    store<u8>(to, load<u8>(load<u8>(from, 5), BYTE_TABLE), 5);
    store<u8>(to, load<u8>(load<u8>(from, 6), BYTE_TABLE), 6);
    store<u8>(to, load<u8>(load<u8>(from, 7), BYTE_TABLE), 7);
    store<u8>(to, load<u8>(load<u8>(from, 8), BYTE_TABLE), 8);
    store<u8>(to, load<u8>(load<u8>(from, 9), BYTE_TABLE), 9);
    store<u8>(to, load<u8>(load<u8>(from, 10), BYTE_TABLE), 10);
    store<u8>(to, load<u8>(load<u8>(from, 11), BYTE_TABLE), 11);
    from += LOOK_UP_STEP;
    to += LOOK_UP_STEP;
  } while (from < end);
}

/** The float of a byte in the first of the three tables. */
function red(byte: usize): f32 {
  return load<f32>(byte << 2, FLOAT_TABLES);
}
function green(byte: usize): f32 {
  return load<f32>(byte << 2, FLOAT_TABLES + 1024);
}
function blue(byte: usize): f32 {
  return load<f32>(byte << 2, FLOAT_TABLES + 2048);
}

/** Every byte to the float of its channel, of red, green and blue side by side, LOOK_UP_STEP of them a step. */
export function lookUpFloats(from: usize, to: usize, length: i32): void {
  const end = from + length;
  do {
    store<f32>(to, red(load<u8>(from)));
    store<f32>(to, green(load<u8>(from, 1)), 4);
    store<f32>(to, blue(load<u8>(from, 2)), 8);
    store<f32>(to, red(load<u8>(from, 3)), 12);
    store<f32>(to, green(load<u8>(from, 4)), 16);
    store<f32>(to, blue(load<u8>(from, 5)), 20);
    store<f32>(to, red(load<u8>(from, 6)), 24);
    store<f32>(to, green(load<u8>(from, 7)), 28);
    store<f32>(to, blue(load<u8>(from, 8)), 32);
    store<f32>(to, red(load<u8>(from, 9)), 36);
    store<f32>(to, green(load<u8>(from, 10)), 40);
    store<f32>(to, blue(load<u8>(from, 11)), 44);
    from += LOOK_UP_STEP;
    to += 4 * LOOK_UP_STEP;
  } while (from < end);
}
