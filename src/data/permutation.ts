import { keyed } from '../flow/seed.js';

/** Enough for orders that no test here tells from random ones; few points (XOR has 4) need more, since a round there can do little. */
const rounds = (n: number): number => (n < 1024 ? 48 : 6);

/**
 * The order in which an epoch visits its samples: a pseudo-random permutation of [0, n) that is a function of its arguments.
 *
 * Any place in it is found at once, so there is no shuffle buffer and a resumed run starts where it stopped.
 * A Feistel network over the smallest a × b ≥ n with a ≈ b ≈ √n; a result of n or more is sent through again
 * (cycle walking; fewer than a of ab are, so seldom). Source: Black and Rogaway, "Ciphers with arbitrary finite domains" (2002).
 *
 * @param n number of samples, from 1 to 2³²
 * @returns the sample at each place
 */
export function permutation(n: number, seed: number, epoch: number): (place: number) => number {
  const a = Math.ceil(Math.sqrt(n));
  const b = Math.ceil(n / a);
  const random = keyed(seed, 'draw/permutation', epoch);
  const keys = Int32Array.from({ length: rounds(n) }, () => random.uint32());

  return (place) => {
    let x = place;
    do {
      let left = Math.floor(x / b);
      let right = x - left * b;
      for (let round = 0; round < keys.length; round += 2) {
        left += below(a, right, keys[round]!);
        if (left >= a) left -= a;
        right += below(b, left, keys[round + 1]!);
        if (right >= b) right -= b;
      }
      x = left * b + right;
    } while (x >= n);
    return x;
  };
}

/** A keyed hash of x (two multiplications of MurmurHash3's finalizer, high bits used), scaled to [0, n); n up to 2¹⁶. */
function below(n: number, x: number, key: number): number {
  const h = Math.imul(x ^ key, 0x85ebca6b);
  return ((Math.imul(h ^ (h >>> 15), 0xc2b2ae35) >>> 0) * (n / 2 ** 32)) | 0;
}
