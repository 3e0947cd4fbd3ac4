import { sizeOf } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import { type ClassNames, canonicalName, sameNames } from '../flow/header.js';

/** The class of each sample, by number: a byte each, or two where there are more than 256 classes. */
export type Labels = Uint8Array | Uint16Array;

/** An empty array for `length` labels, as wide as the given ones. */
export const labelsLike = (labels: Labels, length: number): Labels =>
  labels instanceof Uint16Array ? new Uint16Array(length) : new Uint8Array(length);

/** An empty array for labels on memory that threads share, as wide as the number of classes needs. */
export const sharedLabels = (classes: number, length: number): Labels =>
  classes > 256 ? new Uint16Array(new SharedArrayBuffer(2 * length)) : new Uint8Array(new SharedArrayBuffer(length));

/** The labels of the samples at `indices`. */
export function labelsAt(labels: Labels, indices: Uint32Array): Labels {
  const found = labelsLike(labels, indices.length);
  for (let i = 0; i < indices.length; i++) found[i] = labels[indices[i]!]!;
  return found;
}

/** The names in one spelling (Unicode NFC). @throws {WeirError} where two of them are then the same */
export function distinctNames({ of, names }: ClassNames, remedy = 'give each class a name of its own'): string[] {
  const spelled = names.map(canonicalName);
  const twice = spelled.findIndex((name, i) => spelled.indexOf(name) !== i);
  if (twice === -1) return spelled;
  const [first, second] = [names[spelled.indexOf(spelled[twice]!)]!, names[twice]!];
  const same = first === second ? '' : ' once both are spelled the same way in Unicode (NFC)';
  throw new WeirError(`two classes of '${of}' are called '${spelled[twice]}'${same}`, remedy);
}

/**
 * For each label of one set of classes, the label of the class of that name in another set, or −1 where it has none. Undefined where both
 * sets are the same.
 */
export function labelMapping(theirs: ClassNames, own: ClassNames): Int32Array | undefined {
  if (sameNames(theirs.names, own.names)) return undefined;
  const labels = new Map(distinctNames(own).map((name, label) => [name, label]));
  return Int32Array.from(distinctNames(theirs), (name) => labels.get(name) ?? -1);
}

/** Labels through a mapping, in a new array that is wide enough. @throws where a label is mapped to no class */
function relabeled(labels: Labels, mapping: Int32Array, classes: number): Labels {
  const found = classes > 256 ? new Uint16Array(labels.length) : labelsLike(labels, labels.length);
  for (let i = 0; i < labels.length; i++) {
    const mapped = mapping[labels[i]!];
    if (mapped === undefined || mapped < 0) throw new Error(`label ${labels[i]} is no label of ${classes} classes`);
    found[i] = mapped;
  }
  return found;
}

/**
 * Labels of one set of classes as labels of another, matched by name. The order of the classes is free. A class that the other set lacks is
 * allowed as long as it has no sample.
 *
 * @param remedy of the error
 * @throws {WeirError} that names a class which the other set lacks, and the number of its samples
 */
export function mappedLabels(labels: Labels, theirs: ClassNames, own: ClassNames, remedy: string): Labels {
  const mapping = labelMapping(theirs, own);
  if (mapping === undefined) return labels;
  const counts = new Uint32Array(Math.max(theirs.names.length, 1));
  for (const label of labels) counts[label]!++;
  const unknown = mapping.findIndex((mapped, label) => mapped === -1 && counts[label]! > 0);
  if (unknown !== -1) throw unknownClass(theirs, own, unknown, remedy, counts[unknown]);
  return relabeled(labels, mapping, own.names.length);
}

/** The error for a class of `theirs` that `own` lacks. */
export function unknownClass(
  theirs: ClassNames,
  own: ClassNames,
  label: number,
  remedy: string,
  samples?: number,
): WeirError {
  const count = samples === undefined ? '' : ` (${samples} sample${samples === 1 ? '' : 's'})`;
  const known = own.names.slice(0, 20).join(', ');
  const more = own.names.length > 20 ? ` and ${own.names.length - 20} more` : '';
  return new WeirError(
    `class '${canonicalName(theirs.names[label]!)}' of '${theirs.of}'${count} is none of the classes of '${own.of}': ${known}${more}`,
    remedy,
  );
}

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

/** @throws {WeirError} that names the first value that is NaN, infinite, or too large for float32 */
export function checkFinite(name: string, values: ArrayLike<number>, sampleShape: readonly number[]): void {
  const length = sizeOf(sampleShape);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (fitsFloat32(value)) continue;
    const others = countOdd(values, i + 1);
    throw new WeirError(
      `sample ${Math.floor(i / length)} of data set '${name}' holds ${shownValue(value)} at position ${coordinatesOf(i % length, sampleShape)}${others === 0 ? '' : `, and there are ${others} more such values`}`,
      'give finite numbers of float32, between ±3.4e38: leave that sample out, or put a number in its place',
    );
  }
}

/** Whether a value is a finite number of float32: null and '' would become 0 once they are written as floats. */
export const fitsFloat32 = (value: unknown): boolean =>
  typeof value === 'number' && Number.isFinite(Math.fround(value));

/** A value of a list, shown so that text and null differ from numbers. */
const shownValue = (value: unknown): string =>
  typeof value === 'string' ? `the text '${value}'` : typeof value === 'bigint' ? `the bigint ${value}` : String(value);

function countOdd(values: ArrayLike<number>, from: number): number {
  let count = 0;
  for (let i = from; i < values.length; i++) if (!fitsFloat32(values[i])) count++;
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
