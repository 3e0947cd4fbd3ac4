import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isRecord, sizeOf } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import { tf } from '../tensorflow/tf.js';

/** Computes the results that the cases of a kind expect, with Weir's own code. */
export interface VectorKind {
  readonly kind: string;
  /**
   * The results of the kind, by key; a function is called where the case expects its key.
   *
   * @param expected read for its sizes alone, such as the number of steps traced
   */
  compute(input: VectorFields, expected: VectorFields): Readonly<Record<string, () => Actual>>;
}

/** `work` with its result kept: several results of a kind come from one computation. */
export function once<T>(work: () => T): () => T {
  let made: { readonly result: T } | undefined;
  return () => {
    made ??= { result: work() };
    return made.result;
  };
}

/** A tensor of a reference vector in float32. */
export const upload = ({ data, shape }: VectorTensor): tf.Tensor => tf.tensor([...data], [...shape], 'float32');

/** Its values on the host; it is disposed of. */
export function taken(tensor: tf.Tensor): Float32Array {
  const values = tensor.dataSync<'float32'>().slice();
  tensor.dispose();
  return values as Float32Array;
}

/** a agrees with b where |a − b| ≤ absolute + relative · |b|; for a tensor, element by element with max|b| in the place of |b|. */
export interface Tolerance {
  readonly relative: number;
  readonly absolute: number;
}

/** The result of a kind: a number, the values of a tensor, a list of numbers, or tensors. */
export type Actual = number | Values | readonly number[] | readonly Values[];

export type Values = Float32Array | Float64Array;

/** A tensor of a reference vector, row-major. */
export interface VectorTensor {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** Part of a case, read key by key: an error names a key that is missing or of another form. */
export class VectorFields {
  constructor(
    readonly where: string,
    private readonly record: Readonly<Record<string, unknown>>,
  ) {}

  get keys(): readonly string[] {
    return Object.keys(this.record);
  }

  has(key: string): boolean {
    return this.record[key] !== undefined && this.record[key] !== null;
  }

  get(key: string): unknown {
    if (this.has(key)) return this.record[key];
    throw new WeirError(`${this.where} has no '${key}'`, `it has ${this.keys.join(', ') || 'nothing'}`);
  }

  number(key: string): number {
    const value = this.get(key);
    if (typeof value === 'number') return value;
    throw this.odd(key, 'a number');
  }

  /** A whole number of at least 1. */
  count(key: string): number {
    const value = this.get(key);
    if (Number.isInteger(value) && (value as number) > 0) return value as number;
    throw this.odd(key, 'a whole number from 1 on');
  }

  text(key: string): string {
    const value = this.get(key);
    if (typeof value === 'string') return value;
    throw this.odd(key, 'a word');
  }

  /** @param rank the number of its axes */
  tensor(key: string, rank?: number): VectorTensor {
    const value = this.get(key);
    if (isTensor(value) && (rank === undefined || value.shape.length === rank)) return value;
    throw this.odd(key, `a tensor${rank === undefined ? '' : ` of rank ${rank}`}: ${form}`);
  }

  tensors(key: string): readonly VectorTensor[] {
    const value = this.get(key);
    if (Array.isArray(value) && value.length > 0 && value.every(isTensor)) return value;
    throw this.odd(key, `a list of tensors: [${form}, …]`);
  }

  /** Numbers, as a list or as the values of a tensor. */
  numbers(key: string): readonly number[] {
    const value = this.get(key);
    if (isNumbers(value)) return value;
    if (isTensor(value)) return value.data;
    throw this.odd(key, 'a list of numbers');
  }

  /** The fields of a record inside of it. */
  inner(key: string): VectorFields {
    const value = this.get(key);
    if (isRecord(value)) return new VectorFields(`the ${key}`, value);
    throw this.odd(key, 'an object');
  }

  private odd(key: string, wanted: string): WeirError {
    return new WeirError(`'${key}' of ${this.where} has another form`, `give ${wanted}`);
  }
}

const form = '{"shape": […], "data": […]}, as many finite numbers as the shape says';

export const isNumbers = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'number');

export const isTensor = (value: unknown): value is VectorTensor =>
  isRecord(value) &&
  isNumbers(value.shape) &&
  value.shape.every((side) => Number.isInteger(side) && side > 0) &&
  isNumbers(value.data) &&
  value.data.length === sizeOf(value.shape);

/** Reference vectors of one kind, as a file holds them. */
export interface VectorFile {
  readonly kind: string;
  readonly source: string;
  /** Not validated yet: a malformed case does not affect the others. */
  readonly cases: readonly unknown[];
}

export interface VectorCase {
  readonly input: VectorFields;
  readonly expected: VectorFields;
  readonly tolerance: Tolerance;
}

const format = 'weir-vectors/1';
const outline = `{"format": "${format}", "kind", "source", "cases": [{"name", "input", "expected", "tolerance"}]}`;

/** Files as they are, folders as the JSON files in them, in the order of their names. @throws {WeirError} where there is none */
export function vectorFiles(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) throw new WeirError(`there is no ${path}`, 'name files of reference vectors, or a folder');
    if (!found.isDirectory()) return [path];
    const files = readdirSync(path)
      .filter((name) => name.endsWith('.json'))
      .sort();
    if (files.length === 0) throw new WeirError(`no JSON file is in ${path}`, 'name files of reference vectors');
    return files.map((name) => join(path, name));
  });
}

/** @throws {WeirError} for a file that holds no reference vectors */
export function readVectors(path: string): VectorFile {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new WeirError(`it cannot be read as JSON: ${(error as Error).message}`, `it should hold ${outline}`);
  }
  if (!isRecord(content) || content.format !== format) {
    const is = isRecord(content) && content.format !== undefined ? `'${content.format}'` : 'none';
    throw new WeirError(`its format is ${is}, not '${format}'`, `it should hold ${outline}`);
  }
  const { kind, source, cases } = content;
  if (typeof kind !== 'string') throw new WeirError("it does not say its 'kind'", `it should hold ${outline}`);
  if (!Array.isArray(cases) || cases.length === 0) {
    throw new WeirError("it has no 'cases'", `it should hold ${outline}, one case at least`);
  }
  return { kind, source: typeof source === 'string' ? source : '', cases };
}

/** The name of a case, or its number where it has none. */
export const nameOf = (one: unknown, index: number): string =>
  isRecord(one) && (typeof one.name === 'string' || typeof one.name === 'number') ? String(one.name) : `#${index + 1}`;

/** @throws {WeirError} for a case without an input, something to compare or a tolerance */
export function readCase(one: unknown): VectorCase {
  const fields = new VectorFields('the case', isRecord(one) ? one : {});
  const [input, expected] = ['input', 'expected'].map((key) => fields.inner(key)) as [VectorFields, VectorFields];
  if (!expected.keys.some((key) => expected.has(key))) {
    throw new WeirError('the case expects nothing', "its 'expected' holds what is compared, a key at least");
  }
  const part = (key: string): number => {
    const tolerance = fields.inner('tolerance');
    const value = tolerance.has(key) ? tolerance.number(key) : 0;
    if (value >= 0) return value;
    throw new WeirError(`its tolerance has ${key} = ${value}`, 'give a number of at least 0');
  };
  return { input, expected, tolerance: { relative: part('relative'), absolute: part('absolute') } };
}
