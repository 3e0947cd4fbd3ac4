/**
 * Weighs each of `count` values with its neighbours at multiples of `stride` on both sides, which are other pixels of the same
 * channel: `stride` such lanes lie side by side. In three forms of one thing: where the neighbours are held in variables that
 * move on from pixel to pixel, one is read for each, not all, and it takes half the time.
 */
export type Along = (
  weights: Float64Array,
  reach: number,
  from: Float64Array,
  start: number,
  stride: number,
  to: Float64Array,
  at: number,
  count: number,
) => void;

/** For weights of up to three neighbours on each side; those that are not there are 0. */
export const alongThree: Along = (weights, _, from, start, stride, to, at, count) => {
  const w0 = weights[0]!;
  const w1 = weights[1]!;
  const w2 = weights[2]!;
  const w3 = weights[3]!;
  const end = (at + count) | 0;
  for (let lane = 0; lane < stride; lane++) {
    let next = (start + lane - 3 * stride) | 0; // whole numbers of 32 bits, so that no sum is checked for more
    let a = from[next]!;
    next = (next + stride) | 0;
    let b = from[next]!;
    next = (next + stride) | 0;
    let c = from[next]!;
    next = (next + stride) | 0;
    let d = from[next]!;
    next = (next + stride) | 0;
    let e = from[next]!;
    next = (next + stride) | 0;
    let f = from[next]!;
    for (let x = (at + lane) | 0; x < end; x = (x + stride) | 0) {
      next = (next + stride) | 0;
      const g = from[next]!;
      to[x] = w0 * d + w1 * (c + e) + w2 * (b + f) + w3 * (a + g);
      a = b;
      b = c;
      c = d;
      d = e;
      e = f;
      f = g;
    }
  }
};

/** For up to six. */
export const alongSix: Along = (weights, _, from, start, stride, to, at, count) => {
  const w0 = weights[0]!;
  const w1 = weights[1]!;
  const w2 = weights[2]!;
  const w3 = weights[3]!;
  const w4 = weights[4]!;
  const w5 = weights[5]!;
  const w6 = weights[6]!;
  const end = (at + count) | 0;
  for (let lane = 0; lane < stride; lane++) {
    let next = (start + lane - 6 * stride) | 0; // whole numbers of 32 bits, so that no sum is checked for more
    let a = from[next]!;
    next = (next + stride) | 0;
    let b = from[next]!;
    next = (next + stride) | 0;
    let c = from[next]!;
    next = (next + stride) | 0;
    let d = from[next]!;
    next = (next + stride) | 0;
    let e = from[next]!;
    next = (next + stride) | 0;
    let f = from[next]!;
    next = (next + stride) | 0;
    let g = from[next]!;
    next = (next + stride) | 0;
    let h = from[next]!;
    next = (next + stride) | 0;
    let i = from[next]!;
    next = (next + stride) | 0;
    let j = from[next]!;
    next = (next + stride) | 0;
    let k = from[next]!;
    next = (next + stride) | 0;
    let l = from[next]!;
    for (let x = (at + lane) | 0; x < end; x = (x + stride) | 0) {
      next = (next + stride) | 0;
      const m = from[next]!;
      to[x] = w0 * g + w1 * (f + h) + w2 * (e + i) + w3 * (d + j) + w4 * (c + k) + w5 * (b + l) + w6 * (a + m);
      a = b;
      b = c;
      c = d;
      d = e;
      e = f;
      f = g;
      g = h;
      h = i;
      i = j;
      j = k;
      k = l;
      l = m;
    }
  }
};

/** For any number. */
export const alongMany: Along = (weights, reach, from, start, stride, to, at, count) => {
  for (let i = 0; i < count; i++) {
    const here = (start + i) | 0;
    let sum = weights[0]! * from[here]!;
    for (let k = 1, off = stride; k <= reach; k++, off = (off + stride) | 0) {
      sum += weights[k]! * (from[here - off]! + from[here + off]!);
    }
    to[at + i] = sum;
  }
};
