/** Bits after the point of weights, which add up to 1, and of the values between the two passes. */
const BITS = 15;
const BETWEEN = 6;
/** Bits that a sum has too many after the pass down columns, and after the pass along rows. */
export const DOWN = BITS - BETWEEN;
export const ALONG = BITS + BETWEEN;

/** Taps that weigh less than this are left out: together less than a tenth of a gray level. */
const LEAST = 1e-4;

/**
 * Sets the 16-bit weights of a Gaussian: of the middle, a 0 beside it, then outwards those of both sides, zeros behind them.
 *
 * @param sigma standard deviation in pixels
 * @param into room for 3 more than the taps on each side
 * @returns how many on each side count
 */
export function blurWeights(sigma: number, most: number, into: Int16Array): number {
  const weight = (k: number): number => Math.exp(-((k / sigma) ** 2) / 2);
  let sum = 1;
  let reach = 0;
  for (; reach < most && weight(reach + 1) >= LEAST * sum; reach++) sum += 2 * weight(reach + 1);
  into.fill(0);
  let middle = 2 ** BITS;
  for (let k = 1; k <= reach; k++) {
    into[1 + k] = Math.round((weight(k) / sum) * 2 ** BITS);
    middle -= 2 * into[1 + k]!; // so that all add up to 1: what is even stays as it was
  }
  into[0] = middle;
  return reach;
}
