// Steps that several kernels share. The compiler puts them inline.

/** One color of the first four pixels in 16 bytes of red, green and blue, each widened to 32 bits. */
export function redOf(pixels: v128): v128 {
  return i8x16.shuffle(pixels, i8x16.splat(0), 0, 16, 16, 16, 3, 16, 16, 16, 6, 16, 16, 16, 9, 16, 16, 16);
}
export function greenOf(pixels: v128): v128 {
  return i8x16.shuffle(pixels, i8x16.splat(0), 1, 16, 16, 16, 4, 16, 16, 16, 7, 16, 16, 16, 10, 16, 16, 16);
}
export function blueOf(pixels: v128): v128 {
  return i8x16.shuffle(pixels, i8x16.splat(0), 2, 16, 16, 16, 5, 16, 16, 16, 8, 16, 16, 16, 11, 16, 16, 16);
}

/** a · first weight + b · second weight, for the lower four of eight 16-bit numbers. `weights` holds the two weights four times. */
export function weighedLow(a: v128, b: v128, weights: v128): v128 {
  return i32x4.dot_i16x8_s(i8x16.shuffle(a, b, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23), weights);
}

/** The same for the upper four. */
export function weighedHigh(a: v128, b: v128, weights: v128): v128 {
  return i32x4.dot_i16x8_s(i8x16.shuffle(a, b, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31), weights);
}
