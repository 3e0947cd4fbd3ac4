/** Whole numbers below `n`, the same ones for the same seed (mulberry32). */
export function randomOf(seed: number): (n: number) => number {
  let state = seed >>> 0;
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return Math.floor((((x ^ (x >>> 14)) >>> 0) / 2 ** 32) * n);
  };
}
export type Random = ReturnType<typeof randomOf>;

export const oneOf = <T>(random: Random, list: readonly T[]): T => list[random(list.length)]!;
