import { WeirError } from '../flow/errors.js';
import { isNumbers, isTensor } from './fields.js';

/** a agrees with b where |a − b| ≤ absolute + relative · |b|; for a tensor, element by element with max|b| in the place of |b|. */
export interface Tolerance {
  readonly relative: number;
  readonly absolute: number;
}

/** What a kind computes: a number, the values of a tensor, a number each, or tensors. */
export type Actual = number | Values | readonly number[] | readonly Values[];

export type Values = Float32Array | Float64Array;

/** How far a value is from the one expected. */
export interface Deviation {
  /** The key, and which of several. */
  readonly of: string;
  /** The largest |a − b|; infinite where ours is no number, or not as many. */
  readonly deviation: number;
  readonly allowed: number;
}

/** At most 1 is within the tolerance. */
export const part = ({ deviation, allowed }: Deviation): number => (deviation === 0 ? 0 : deviation / allowed);

/** Every number or tensor that is expected under a key, beside ours. @throws {WeirError} where what is expected is neither */
export function compare(key: string, actual: Actual, expected: unknown, tolerance: Tolerance): Deviation[] {
  if (typeof expected === 'number') return [tensor(key, Float64Array.of(single(actual)), [expected], tolerance)];
  if (isTensor(expected)) return [tensor(key, values(actual), expected.data, tolerance)];
  const several = Array.isArray(expected) && expected.length > 0;
  if (isNumbers(expected) && several) {
    const own = values(actual);
    if (own.length !== expected.length) return [tensor(key, own, expected, tolerance)];
    return expected.map((b, i) => tensor(`${key}[${i}]`, [own[i]!], [b], tolerance));
  }
  if (several && expected.every(isTensor)) {
    const own = actual as readonly Values[];
    if (own.length !== expected.length) return [{ of: key, deviation: Number.POSITIVE_INFINITY, allowed: 0 }];
    return expected.map((b, i) => tensor(`${key}[${i}]`, own[i]!, b.data, tolerance));
  }
  throw new WeirError(
    `'${key}' is expected to be neither a number nor a tensor`,
    'give a number, {"shape": […], "data": […]}, or a list of these',
  );
}

const values = (actual: Actual): ArrayLike<number> =>
  typeof actual === 'number' ? [actual] : (actual as ArrayLike<number>);

const single = (actual: Actual): number => {
  const all = values(actual);
  return all.length === 1 ? all[0]! : Number.NaN;
};

function tensor(of: string, a: ArrayLike<number>, b: ArrayLike<number>, { relative, absolute }: Tolerance): Deviation {
  let largest = 0;
  let deviation = a.length === b.length ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < b.length; i++) {
    largest = Math.max(largest, Math.abs(b[i]!));
    const off = Math.abs(a[i]! - b[i]!);
    deviation = Number.isNaN(off) ? Number.POSITIVE_INFINITY : Math.max(deviation, off);
  }
  return { of, deviation, allowed: absolute + relative * largest };
}
