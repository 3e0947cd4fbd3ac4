import { WeirError } from '../flow/errors.js';

/** A tensor of a reference vector, row-major. */
export interface VectorTensor {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** Part of a case, read key by key; what is missing or of another form is named. */
export class Fields {
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

  /** @param rank how many sides it has */
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
  inner(key: string): Fields {
    const value = this.get(key);
    if (isRecord(value)) return new Fields(`the ${key}`, value);
    throw this.odd(key, 'an object');
  }

  private odd(key: string, wanted: string): WeirError {
    return new WeirError(`'${key}' of ${this.where} is not what it should be`, `give ${wanted}`);
  }
}

const form = '{"shape": […], "data": […]}, as many finite numbers as the shape says';

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isNumbers = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'number');

export const isTensor = (value: unknown): value is VectorTensor =>
  isRecord(value) &&
  isNumbers(value.shape) &&
  value.shape.every((side) => Number.isInteger(side) && side > 0) &&
  isNumbers(value.data) &&
  value.data.length === value.shape.reduce((size, side) => size * side, 1);
