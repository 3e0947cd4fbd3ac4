import { WeirError } from '../flow/errors.js';
import { scoped } from '../tensorflow/scoped.js';
import { compare, type Deviation, part } from './compare.js';
import type { VectorKind } from './kinds/kind.js';
import { kinds } from './kinds/registry.js';
import { nameOf, readCase, readVectors } from './read.js';

/** How a case came out. Plain data. */
export interface CheckedCase {
  readonly name: string;
  readonly ok: boolean;
  /** What was compared, the worst first; nothing where it could not be computed. */
  readonly deviations: readonly Deviation[];
  readonly problem?: Problem;
}

/** What kept something from being compared, and what would be right. */
export interface Problem {
  readonly message: string;
  readonly remedy?: string;
}

export interface CheckedFile {
  readonly path: string;
  /** Empty where the file could not be read. */
  readonly kind: string;
  readonly source: string;
  readonly outcome: 'within' | 'out' | 'malformed';
  readonly cases: readonly CheckedCase[];
  readonly problem?: Problem;
}

/** Compares what this machine computes with the reference vectors of a file. Whatever is wrong with it is in the result. */
export function checkVectors(path: string): CheckedFile {
  const about = { path, kind: '', source: '', cases: [] };
  try {
    const { kind, source, cases } = readVectors(path);
    const found = kinds.find((each) => each.kind === kind);
    if (found === undefined) {
      throw new WeirError(`there is no kind '${kind}'`, `kinds are ${kinds.map((each) => each.kind).join(', ')}`);
    }
    const checked = cases.map((one, i) => scoped(() => checkCase(found, one, nameOf(one, i))));
    return { path, kind, source, outcome: checked.every(({ ok }) => ok) ? 'within' : 'out', cases: checked };
  } catch (error) {
    return { ...about, outcome: 'malformed', problem: problemOf(error) };
  }
}

function checkCase(kind: VectorKind, one: unknown, name: string): CheckedCase {
  try {
    const { input, expected, tolerance } = readCase(one);
    const computed = kind.compute(input, expected);
    const deviations = expected.keys
      .filter((key) => expected.has(key))
      .flatMap((key) => {
        const compute = computed[key];
        if (compute !== undefined) return compare(key, compute(), expected.get(key), tolerance);
        throw new WeirError(
          `it expects '${key}', which kind '${kind.kind}' does not have`,
          `it has ${Object.keys(computed).join(', ')}`,
        );
      })
      .sort((a, b) => part(b) - part(a));
    return { name, ok: deviations.every((each) => part(each) <= 1), deviations };
  } catch (error) {
    return { name, ok: false, deviations: [], problem: problemOf(error) };
  }
}

function problemOf(error: unknown): Problem {
  const { message } = error as Error;
  return { message, ...(error instanceof WeirError && error.remedy !== undefined && { remedy: error.remedy }) };
}
