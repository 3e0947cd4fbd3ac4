import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A tensor of a reference vector, row-major. */
export interface GoldenTensor {
  readonly shape: number[];
  readonly data: number[];
}

export interface GoldenCase<Input, Expected> {
  readonly name: string;
  readonly input: Input;
  readonly expected: Expected;
  readonly tolerance: { readonly relative: number; readonly absolute: number };
}

/** Folder of data shared by all checkouts: `WEIR_SHARED`, else beside this one. */
export const shared = process.env.WEIR_SHARED ?? join(import.meta.dirname, '../../shared');

/**
 * The reference vectors of a kind, or undefined where this machine has none; then skip the test by name.
 *
 * @example describe.skipIf(golden('metric') === undefined)('reference vectors: metric', …)
 */
export function golden<Input, Expected>(kind: string): readonly GoldenCase<Input, Expected>[] | undefined {
  const file = join(shared, 'golden', `${kind}.json`);
  if (!existsSync(file)) return undefined;
  const { format, cases } = JSON.parse(readFileSync(file, 'utf8'));
  if (format !== 'weir-vectors/1') throw new Error(`${file} is of format '${format}', not 'weir-vectors/1'`);
  return cases;
}

/**
 * The largest deviation as a part of what is allowed, |a − b| ≤ absolute + relative·|b| (max|b| for a tensor): at most 1 passes.
 */
export function deviation(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { relative, absolute }: { readonly relative: number; readonly absolute: number },
): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let scale = 0;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    scale = Math.max(scale, Math.abs(expected[i]!));
    const off = Math.abs(actual[i]! - expected[i]!);
    worst = Number.isNaN(off) ? Number.POSITIVE_INFINITY : Math.max(worst, off);
  }
  return worst === 0 ? 0 : worst / (absolute + relative * scale);
}
