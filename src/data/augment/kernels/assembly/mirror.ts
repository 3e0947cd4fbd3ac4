/** Bytes of five pixels of red, green and blue, which are read and written in one step. */
const STEP = 15;

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
      source -= STEP;
      const pixels = v128.load(source);
      v128.store(target, i8x16.shuffle(pixels, i8x16.splat(0), 12, 13, 14, 9, 10, 11, 6, 7, 8, 3, 4, 5, 0, 1, 2, 16));
      target += STEP;
    } while (target < end);
  }
}
