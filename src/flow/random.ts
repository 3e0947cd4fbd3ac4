import { WeirError } from './errors.js';

/** The two words, as int32, of the last block that `threefry` made. Read them before the next call. */
export const block = { x0: 0, x1: 0 };

/** Threefish's key-schedule parity, 32-bit. */
const PARITY = 0x1bd11bda;

/**
 * Threefry-2x32 with 20 rounds: a keyed bijection of 64-bit counters that passes every known statistical test.
 *
 * By hand, for JavaScript has no generator that is a function of key and counter: with one there is no generator state to save, and
 * any number of threads gives the same numbers. The test holds it to the published vectors.
 *
 * Leaves its two words in `block`, since this runs once per two random numbers and must not allocate.
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011), section 3.3.
 *
 * @param k0 first word of the key, @param k1 second word
 * @param c0 first word of the counter, @param c1 second word
 */
export function threefry(k0: number, k1: number, c0: number, c1: number): void {
  const k2 = PARITY ^ k0 ^ k1;
  let a = (c0 + k0) | 0;
  let b = (c1 + k1) | 0;

  // Rounds come in fours, with rotations 13 15 26 6 and 17 29 16 24 in turn; a key is injected after each four.
  a = (a + b) | 0;
  b = ((b << 13) | (b >>> 19)) ^ a;
  a = (a + b) | 0;
  b = ((b << 15) | (b >>> 17)) ^ a;
  a = (a + b) | 0;
  b = ((b << 26) | (b >>> 6)) ^ a;
  a = (a + b) | 0;
  b = ((b << 6) | (b >>> 26)) ^ a;
  a = (a + k1) | 0;
  b = (b + k2 + 1) | 0;

  a = (a + b) | 0;
  b = ((b << 17) | (b >>> 15)) ^ a;
  a = (a + b) | 0;
  b = ((b << 29) | (b >>> 3)) ^ a;
  a = (a + b) | 0;
  b = ((b << 16) | (b >>> 16)) ^ a;
  a = (a + b) | 0;
  b = ((b << 24) | (b >>> 8)) ^ a;
  a = (a + k2) | 0;
  b = (b + k0 + 2) | 0;

  a = (a + b) | 0;
  b = ((b << 13) | (b >>> 19)) ^ a;
  a = (a + b) | 0;
  b = ((b << 15) | (b >>> 17)) ^ a;
  a = (a + b) | 0;
  b = ((b << 26) | (b >>> 6)) ^ a;
  a = (a + b) | 0;
  b = ((b << 6) | (b >>> 26)) ^ a;
  a = (a + k0) | 0;
  b = (b + k1 + 3) | 0;

  a = (a + b) | 0;
  b = ((b << 17) | (b >>> 15)) ^ a;
  a = (a + b) | 0;
  b = ((b << 29) | (b >>> 3)) ^ a;
  a = (a + b) | 0;
  b = ((b << 16) | (b >>> 16)) ^ a;
  a = (a + b) | 0;
  b = ((b << 24) | (b >>> 8)) ^ a;
  a = (a + k1) | 0;
  b = (b + k2 + 4) | 0;

  a = (a + b) | 0;
  b = ((b << 13) | (b >>> 19)) ^ a;
  a = (a + b) | 0;
  b = ((b << 15) | (b >>> 17)) ^ a;
  a = (a + b) | 0;
  b = ((b << 26) | (b >>> 6)) ^ a;
  a = (a + b) | 0;
  b = ((b << 6) | (b >>> 26)) ^ a;
  a = (a + k2) | 0;
  b = (b + k0 + 5) | 0;

  block.x0 = a;
  block.x1 = b;
}

const TWO_POW_32 = 2 ** 32;

/**
 * A stream of random numbers that is a function of its key alone: the same key gives the same numbers on any thread,
 * in any order of use, and there is no generator state to save.
 */
export class Random {
  private counter = 0;
  private hasWord = false;
  private word = 0;
  private hasNormal = false;
  private spareNormal = 0;

  constructor(
    private readonly k0: number,
    private readonly k1: number,
  ) {}

  /** An integer in [0, 2³²). */
  uint32(): number {
    if (this.hasWord) {
      this.hasWord = false;
      return this.word >>> 0;
    }
    threefry(this.k0, this.k1, this.counter++, 0);
    this.hasWord = true;
    this.word = block.x1;
    return block.x0 >>> 0;
  }

  /** A number in [0, 1), a multiple of 2⁻³². */
  uniform(): number {
    return this.uint32() / TWO_POW_32;
  }

  /** A standard normal number (Marsaglia's polar method: no sine or cosine, whose last bit differs between runtimes). */
  normal(): number {
    if (this.hasNormal) {
      this.hasNormal = false;
      return this.spareNormal;
    }
    for (;;) {
      const u = (this.uint32() + 0.5) * (2 / TWO_POW_32) - 1;
      const v = (this.uint32() + 0.5) * (2 / TWO_POW_32) - 1;
      const s = u * u + v * v;
      if (s >= 1) continue;
      const scale = Math.sqrt((-2 * Math.log(s)) / s);
      this.hasNormal = true;
      this.spareNormal = v * scale;
      return u * scale;
    }
  }

  /** An integer in [0, n), every one equally likely; n from 1 to 2³². */
  integer(n: number): number {
    const limit = TWO_POW_32 - (TWO_POW_32 % n);
    for (;;) {
      const x = this.uint32();
      if (x < limit) return x % n;
    }
  }
}

/**
 * The random numbers of one purpose and counter, such as `keyed(seed, 'augment/gaussianNoise', epoch, index, view)`.
 *
 * Keys that differ in seed, purpose, any counter or the number of counters give unrelated streams (but for a 64-bit collision).
 *
 * @param seed any safe integer
 * @param purpose what the numbers are for, a constant in the code
 * @param counters safe integers
 */
export function keyed(seed: number, purpose: string, ...counters: number[]): Random {
  derive(seed, purpose, counters);
  return new Random(block.x0, block.x1);
}

/** Two int32 for the stateless random ops of TensorFlow, keyed as `keyed` is. */
export function seeds(seed: number, purpose: string, ...counters: number[]): [number, number] {
  derive(seed, purpose, counters);
  return [block.x0, block.x1];
}

/** Leaves the 64-bit key in `block`: a chain in which each part is the counter and what came before it the key. */
function derive(seed: number, purpose: string, counters: readonly number[]): void {
  if (!Number.isSafeInteger(seed)) throw new WeirError(`a seed of ${seed} was given`, 'give an integer below 2^53');
  const [p0, p1] = digest(purpose);
  threefry(p0, p1, counters.length, 0);
  threefry(block.x0, block.x1, seed | 0, Math.floor(seed / TWO_POW_32) | 0);
  for (const counter of counters) threefry(block.x0, block.x1, counter | 0, Math.floor(counter / TWO_POW_32) | 0);
}

/** Digests of the purposes seen: they are constants of the code, so few. */
const digests = new Map<string, readonly [number, number]>();

function digest(purpose: string): readonly [number, number] {
  let known = digests.get(purpose);
  if (known) return known;
  threefry(purpose.length, 0, 0, 0);
  for (let i = 0; i < purpose.length; i += 4) {
    const word = (at: number) => purpose.charCodeAt(at) | (purpose.charCodeAt(at + 1) << 16); // NaN past the end is 0
    threefry(block.x0, block.x1, word(i), word(i + 2));
  }
  known = [block.x0, block.x1];
  digests.set(purpose, known);
  return known;
}
