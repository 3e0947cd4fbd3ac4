import { basename } from 'node:path';
import pc from 'picocolors';
import { WeirError } from '../flow/errors.js';
import { textTable } from '../flow/terminal.js';
import { scoped } from '../tensorflow/tf.js';
import { certificate, metric, tangentPoint } from './kinds/geometry.js';
import { barlowTwinsLoss, logisticReadout, ntXentLoss } from './kinds/losses.js';
import { batchSpectralShrinkage, convSpectralNorm, powerIterationTrace, spectralValue } from './kinds/spectral.js';
import {
  type Actual,
  isNumbers,
  isTensor,
  nameOf,
  readCase,
  readVectors,
  type Tolerance,
  type Values,
  type VectorKind,
} from './vector-file.js';

/** Every kind of reference vectors that this version computes. */
export const kinds: readonly VectorKind[] = [
  convSpectralNorm,
  spectralValue,
  powerIterationTrace,
  batchSpectralShrinkage,
  certificate,
  metric,
  tangentPoint,
  logisticReadout,
  barlowTwinsLoss,
  ntXentLoss,
];

/** The difference of a value from the one expected. */
export interface Deviation {
  /** The key, and which of several. */
  readonly of: string;
  /** The largest |a − b|; infinite where ours is no number, or not as many. */
  readonly deviation: number;
  readonly allowed: number;
}

/** The deviation as a part of the tolerance: at most 1 is within it. */
export const part = ({ deviation, allowed }: Deviation): number => (deviation === 0 ? 0 : deviation / allowed);

/** The deviation of every number or tensor expected under a key. @throws {WeirError} where the expectation is neither */
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

/** The result of a case, as plain data. */
export interface CheckedCase {
  readonly name: string;
  readonly ok: boolean;
  /** The deviations, the largest first; empty where nothing could be computed. */
  readonly deviations: readonly Deviation[];
  readonly problem?: VectorProblem;
}

/** The reason why a case or file could not be compared, and the remedy. */
export interface VectorProblem {
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
  readonly problem?: VectorProblem;
}

/** Compares the results of this machine with the reference vectors of a file. Errors of the file are part of the result. */
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

function problemOf(error: unknown): VectorProblem {
  const { message } = error as Error;
  return { message, ...(error instanceof WeirError && error.remedy !== undefined && { remedy: error.remedy }) };
}

/** The results as lines: a table a file, a row a case with its largest deviation, and a summary. */
export function vectorTables(files: readonly CheckedFile[]): string[] {
  return [...files.flatMap((file) => [...table(file), '']), summary(files)];
}

function table({ path, kind, source, cases, problem }: CheckedFile): string[] {
  const title = `${pc.bold(basename(path))}${kind === '' ? '' : `  ${kind}`}`;
  if (problem !== undefined) return [title, ...failure('', problem)];
  const heads = ['case', 'furthest off', 'deviation', 'allowed', 'part'];
  const [head, ...lines] = textTable([heads, ...cases.map((one) => [one.name, ...cells(one)])]);
  return [
    title + (source === '' ? '' : pc.dim(`  (${source})`)),
    `  ${pc.dim(`  ${head}`)}`,
    ...cases.flatMap((one, i) =>
      one.problem === undefined
        ? [`  ${one.ok ? pc.green('✓') : pc.red('✗')} ${lines[i]}`]
        : failure(`${one.name}: `, one.problem),
    ),
  ];
}

function cells({ deviations }: CheckedCase): string[] {
  const [worst] = deviations;
  if (worst === undefined) return [];
  return [worst.of, shown(worst.deviation), shown(worst.allowed), part(worst).toFixed(3)];
}

const shown = (value: number): string => (Number.isFinite(value) ? value.toExponential(1) : 'no number');

const failure = (name: string, { message, remedy }: VectorProblem): string[] => [
  `  ${pc.red('✗')} ${name}${message}`,
  ...(remedy === undefined ? [] : [`    ${pc.dim('→')} ${remedy}`]),
];

function summary(files: readonly CheckedFile[]): string {
  const cases = files.flatMap((file) => file.cases);
  const out = cases.filter(({ ok }) => !ok).length;
  const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
  const unread = files.filter(({ outcome }) => outcome === 'malformed').length;
  return [
    out === 0
      ? `${count(cases.length, 'case')} within tolerance`
      : `${out} of ${count(cases.length, 'case')} not within tolerance`,
    ...(unread === 0 ? [] : [`${count(unread, 'file')} not readable`]),
  ].join(', ');
}
