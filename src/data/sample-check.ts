import { sizeOf } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import { distinctNames, type Labels } from './class-names.js';

/** The parts of labeled samples that are checked. Samples in memory have values, images outside of it have none. */
export interface CheckedSamples {
  readonly name: string;
  readonly size: number;
  readonly sampleShape: readonly number[];
  readonly labels: Labels;
  readonly values?: Uint8Array | Float32Array | undefined;
  /** Names of the classes, where they are known. */
  readonly classes?: readonly string[];
}

const known = new WeakMap<CheckedSamples, number>();

/**
 * Refuses samples that cannot be trained on or measured: a length that does not match the shape, a label that is no class, a value that is
 * not a finite number. An object is checked once.
 *
 * @returns the highest label
 * @throws {WeirError} that names the data set, and the sample if there is one
 */
export function checkSamples(samples: CheckedSamples): number {
  const before = known.get(samples);
  if (before !== undefined) return before;
  checkExtents(samples);
  const highest = checkLabels(samples);
  if (samples.values instanceof Float32Array) checkFinite(samples.name, samples.values, samples.sampleShape);
  known.set(samples, highest);
  return highest;
}

function checkExtents({ name, size, sampleShape, labels, values }: CheckedSamples): void {
  const images = values === undefined;
  if (!Number.isInteger(size) || size < 1) {
    throw new WeirError(
      `data set '${name}' has ${size} samples`,
      'give at least one: size is a whole number from 1 on',
    );
  }
  if (!Array.isArray(sampleShape) || sampleShape.some((n) => !Number.isInteger(n) || n < (images ? 0 : 1))) {
    throw new WeirError(
      `data set '${name}' has samples of shape [${sampleShape}]`,
      'give the extents as whole numbers from 1 on: [784], or [height, width, channels]',
    );
  }
  if (!(labels instanceof Uint8Array || labels instanceof Uint16Array)) {
    throw new WeirError(
      `the labels of data set '${name}' are ${kindOf(labels)}`,
      anyList('Uint8Array or a Uint16Array'),
    );
  }
  if (labels.length !== size) {
    throw new WeirError(
      `data set '${name}' has ${size} samples and ${labels.length} labels`,
      'give each sample a label',
    );
  }
  if (images) return;
  if (!(values instanceof Uint8Array || values instanceof Float32Array)) {
    throw new WeirError(
      `the values of data set '${name}' are ${kindOf(values)}`,
      anyList('Float32Array, or a Uint8Array of pixels'),
    );
  }
  checkLength(name, size, sampleShape, values.length);
}

/** @throws {WeirError} where so many samples of that shape have another number of values */
export function checkLength(name: string, size: number, sampleShape: readonly number[], found: number): void {
  const length = sizeOf(sampleShape);
  if (found === size * length) return;
  const each = found / size;
  throw new WeirError(
    `data set '${name}' has ${found} values, and ${size} samples of shape [${sampleShape.join(', ')}] have ${size * length}`,
    Number.isInteger(each) && each > 0
      ? `its samples have ${each} values each: give sampleShape as [${each}], or as extents whose product is ${each}`
      : `${found} values are no whole number for each of ${size} samples: find the missing ones`,
  );
}

function checkLabels({ name, labels, classes }: CheckedSamples): number {
  if (classes !== undefined) checkClasses(name, classes);
  let highest = 0;
  let at = 0;
  for (let i = 0; i < labels.length; i++) {
    if (labels[i]! <= highest) continue;
    highest = labels[i]!;
    at = i;
  }
  if (classes !== undefined && highest >= classes.length) throw noClass(name, at, highest, classes);
  return highest;
}

function checkClasses(name: string, classes: readonly string[]): void {
  if (classes.length === 0)
    throw new WeirError(`data set '${name}' has no classes`, 'name them in the order of the labels');
  distinctNames({ of: name, names: classes });
}

/** The error for a label that is none of the classes. */
export function noClass(name: string, index: number, label: number | string, classes: readonly string[]): WeirError {
  const few = classes.length <= 12 ? ` (${classes.join(', ')})` : '';
  return new WeirError(
    `sample ${index} of data set '${name}' has the label ${shownValue(label)}, and there are ${classes.length} classes${few}`,
    `labels are whole numbers from 0 to ${classes.length - 1}: mend that one, or name the class that is missing`,
  );
}

/** @throws {WeirError} that names the first value that is NaN or infinite */
export function checkFinite(name: string, values: ArrayLike<number>, sampleShape: readonly number[]): void {
  const length = sizeOf(sampleShape);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    // NaN for every value that is not finite; null and '' would become 0 once they are written as floats
    if (typeof value === 'number' && value - value === 0) continue;
    const others = countOdd(values, i + 1);
    throw new WeirError(
      `sample ${Math.floor(i / length)} of data set '${name}' holds ${shownValue(value)} at position ${coordinatesOf(i % length, sampleShape)}${others === 0 ? '' : `, and there are ${others} more such values`}`,
      'give finite numbers: leave that sample out, or put a number in its place',
    );
  }
}

/** A value of a list, shown so that text and null differ from numbers. */
const shownValue = (value: unknown): string =>
  typeof value === 'string' ? `the text '${value}'` : typeof value === 'bigint' ? `the bigint ${value}` : String(value);

function countOdd(values: ArrayLike<number>, from: number): number {
  let count = 0;
  for (let i = from; i < values.length; i++) if (!Number.isFinite(values[i]!)) count++;
  return count;
}

/** A position in a sample by its axes: [row, column, channel]. */
export function coordinatesOf(offset: number, shape: readonly number[]): string {
  let left = offset;
  const coordinates = [...shape].reverse().map((extent) => {
    const at = left % extent;
    left = Math.floor(left / extent);
    return at;
  });
  return `[${coordinates.reverse().join(', ')}]`;
}

const kindOf = (value: unknown): string => {
  const kind = (value as object | null | undefined)?.constructor?.name ?? String(value);
  return kind === 'Array' ? 'a plain list' : `of type ${kind}`;
};

const anyList = (type: string): string =>
  `give a ${type}, or make the data set with weir.dataset({ values, labels, sampleShape, classes }), which takes any list of numbers`;
