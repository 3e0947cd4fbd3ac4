import { WeirError } from './errors.js';
import { block, threefry } from './threefry.js';

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
 * The random numbers of one purpose at one place, such as `keyed(seed, 'augment/gaussianNoise', epoch, index, view)`.
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
