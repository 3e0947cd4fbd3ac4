/** For each place of a row of `to` pixels, which of its `from` pixels make it and with what weights. */
export interface Taps {
  /** Weights for each place. */
  readonly count: number;
  /** [to] The first pixel that has a weight; all `count` lie inside the row. */
  readonly first: Int32Array;
  /** [to, count], in units of 2^−bits. */
  readonly weights: Int16Array;
  readonly bits: number;
}

/** Rows of taps that are kept; sizes of photographs differ, so there is no end of them. */
const MOST_TAPS = 512;

const tapsCache = new Map<number, Map<number, Taps>>();

/**
 * The taps of a triangle filter that is as wide as one pixel of the smaller row (Pillow's and PyTorch's antialiased bilinear),
 * kept for the next time.
 */
export function tapsOf(from: number, to: number): Taps {
  let known = tapsCache.get(to);
  if (!known) {
    known = new Map();
    tapsCache.set(to, known);
  }
  let taps = known.get(from);
  if (!taps) {
    if (known.size >= MOST_TAPS) known.clear();
    taps = makeTaps(from, to);
    known.set(from, taps);
  }
  return taps;
}

/** Weights are 16-bit integers with as many bits after the point as the largest leaves room for, as in PyTorch on bytes. */
function makeTaps(from: number, to: number): Taps {
  const scale = from / to;
  const support = Math.max(1, scale);
  const rows: { first: number; weights: number[] }[] = [];
  let largest = 0;
  for (let i = 0; i < to; i++) {
    const center = scale * (i + 0.5);
    let first = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(from, Math.trunc(center + support + 0.5));
    const weights: number[] = [];
    for (let j = first; j < end; j++) weights.push(Math.max(0, 1 - Math.abs((j - center + 0.5) / support)));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    while (weights.at(-1) === 0) weights.pop();
    for (; weights[0] === 0; first++) weights.shift();
    const normalized = weights.map((weight) => weight / sum);
    largest = Math.max(largest, ...normalized);
    rows.push({ first, weights: normalized });
  }
  let bits = 0;
  while (bits < 22 && Math.trunc(0.5 + largest * 2 ** (bits + 1)) < 2 ** 15) bits++;

  const count = Math.min(from, Math.max(2, ...rows.map(({ weights }) => weights.length)));
  const taps = { count, first: new Int32Array(to), weights: new Int16Array(to * count), bits };
  rows.forEach(({ first, weights }, i) => {
    const start = Math.min(first, from - count);
    taps.first[i] = start;
    weights.forEach((weight, k) => {
      taps.weights[i * count + first - start + k] = Math.trunc(0.5 + weight * 2 ** bits);
    });
  });
  return taps;
}
