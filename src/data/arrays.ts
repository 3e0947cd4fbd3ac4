import { basename } from 'node:path';
import { sizeOf } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import { checkOptions } from '../flow/options.js';
import { noticeOnce } from '../flow/terminal.js';
import { type Box, type Dataset, sharedBytes, sharedFloats } from './dataset.js';
import {
  checkFinite,
  checkLength,
  checkSamples,
  coordinatesOf,
  distinctNames,
  type Labels,
  noClass,
  sharedLabels,
} from './sample-check.js';

/** Numbers one after another, or lists of such lists: a list for each sample, and in it one for each row of an image. */
export type Nested = ArrayLike<number> | readonly Nested[];

/** What a data set is told besides its numbers, whatever they are read from. */
export interface DataDescription {
  /**
   * The names of the classes, in the order of the labels; or their number, and then they are called '0', '1' and so on. By default as
   * many as the labels need: all names that occur, in alphabetical order, or the numbers up to the highest label. Numbers that no sample has
   * are then said in a line, and names that are one number ('1' and '1.0') are refused.
   */
  readonly classes?: readonly string[] | number;
  /** Shape of one sample; images are [height, width, channels]. By default that of the lists. */
  readonly sampleShape?: readonly number[];
  /**
   * Of floats: the values that a sample may take, each bound one number, or a list with one for each feature of a vector or channel of an
   * image. An attack stays inside. 'observed': from the least to the greatest value of each, over all samples given.
   */
  readonly box?: Box | 'observed';
  /** The name in errors and reports; by default 'data', or that of the file. */
  readonly name?: string;
}

export interface DatasetOptions extends DataDescription {
  /** The samples: lists of numbers, or one list of all with a `sampleShape`. Uint8Array and Uint8ClampedArray are pixels 0 to 255. */
  readonly values: Nested;
  /** A label for each sample: the position of its class in `classes`, or its name. */
  readonly labels: ArrayLike<number> | readonly string[];
}

/**
 * A data set of one's own: checked, and copied to memory that worker threads share. Floats are rounded to float32.
 *
 * @throws {WeirError} for lists of different lengths, a label that is no class, a value that is no finite number or outside of the box
 * @example dataset({ values: [[0, 0], [0, 1], [1, 0], [1, 1]], labels: [0, 1, 1, 0], classes: ['same', 'different'], name: 'xor' })
 */
export function dataset(options: DatasetOptions): Dataset {
  const { name = 'data', ...given } = checkOptions<DatasetOptions & { readonly size?: number }>('dataset', options, {
    values: 'required',
    labels: 'required',
    sampleShape: 'optional',
    classes: 'optional',
    box: 'optional',
    name: 'optional',
    size: 'optional', // of a data set that is spread: it follows from the labels
  });
  const { values, shape } = flat(name, given.values);
  const size = given.labels.length;
  const sampleShape = given.sampleShape ?? shape;
  if (sampleShape === undefined) {
    throw new WeirError(
      `data set '${name}' was given its values in one list, and no sampleShape`,
      'give the shape of a sample, such as sampleShape: [4], or a list for each sample',
    );
  }
  checkLength(name, size, sampleShape, values.length);
  checkFinite(name, values, sampleShape); // before float32 turns a number that is too large into infinity, for the message
  const { labels, classes } = classed(name, given.labels, given.classes);
  const bytes = values instanceof Uint8Array || values instanceof Uint8ClampedArray;
  const shared = (bytes ? sharedBytes : sharedFloats)(values.length);
  shared.set(values);
  const box = boxOf(name, shared, sampleShape, given.box);
  const made: Dataset = {
    name,
    size,
    sampleShape: [...sampleShape],
    classes,
    labels,
    values: shared,
    ...(box && { box }),
  };
  checkSamples(made);
  return made;
}

/** The same of what files hold, which an error then names. */
export function datasetOf(files: string, options: DatasetOptions): Dataset {
  try {
    return dataset(options);
  } catch (cause) {
    if (!(cause instanceof WeirError)) throw cause;
    throw new WeirError(`${files}: ${cause.message}`, cause.remedy, { cause });
  }
}

/** The name of a data set that is read from a file. */
export const nameOfFile = (file: string): string => basename(file).replace(/(?<=.)\.[^.]*$/, '');

/** All numbers of nested lists in one; and the shape of a sample, where the lists tell it. @throws {WeirError} where lengths differ */
function flat(name: string, given: Nested): { values: ArrayLike<number>; shape?: readonly number[] } {
  if (!isList(given[0])) return { values: given as ArrayLike<number> };
  const [first] = given as readonly Nested[];
  const shape: number[] = [];
  for (let list: unknown = first; isList(list); list = list[0]) shape.push(list.length);
  const values = sizeOf([given.length, ...shape]);
  const bytes = first instanceof Uint8Array || first instanceof Uint8ClampedArray;
  const all = bytes ? new Uint8Array(values) : new Array<number>(values);
  let at = 0;
  const take = (list: unknown, sample: number, depth: number): void => {
    if (depth === shape.length) {
      all[at++] = list as number;
      return;
    }
    const found = isList(list) ? `a list of ${list.length}` : JSON.stringify(list);
    if (!isList(list) || list.length !== shape[depth]) {
      throw new WeirError(
        `sample ${sample} of data set '${name}' has ${found} where sample 0 has a list of ${shape[depth]}`,
        'give all samples one shape: mend that one, or leave it out',
      );
    }
    for (let i = 0; i < list.length; i++) take(list[i], sample, depth + 1);
  };
  for (let sample = 0; sample < given.length; sample++) take(given[sample], sample, 0);
  return { values: all, shape };
}

const isList = (value: unknown): value is ArrayLike<unknown> => Array.isArray(value) || ArrayBuffer.isView(value);

/** The labels as numbers of classes, and the names of these. @throws {WeirError} for a label that is none of them */
function classed(
  name: string,
  given: ArrayLike<number> | readonly string[],
  asked: readonly string[] | number | undefined,
): { labels: Labels; classes: string[] } {
  const classes = namesOf(name, given, asked);
  const places = new Map(distinctNames({ of: name, names: classes }).map((one, label) => [one, label]));
  const labels = sharedLabels(classes.length, given.length);
  for (let i = 0; i < given.length; i++) {
    const one = given[i]!;
    const label = typeof one === 'string' ? places.get(one.normalize('NFC')) : one;
    if (!(label !== undefined && Number.isInteger(label) && label >= 0 && label < classes.length)) {
      throw noClass(name, i, one, classes);
    }
    labels[i] = label;
  }
  return { labels, classes };
}

const MOST_CLASSES = 2 ** 16;

function namesOf(
  name: string,
  labels: ArrayLike<number> | readonly string[],
  asked: readonly string[] | number | undefined,
): string[] {
  if (Array.isArray(asked) && asked.every((one) => typeof one === 'string')) return [...asked];
  if (asked === undefined && typeof labels[0] === 'string') {
    const names = [...new Set(Array.from(labels as readonly string[], (one) => String(one).normalize('NFC')))];
    names.sort(inOrder);
    checkNumbersOnce(name, names);
    return names;
  }
  const count = asked ?? Array.from(labels as ArrayLike<number>).reduce((most, one) => Math.max(most, one), -1) + 1;
  if (typeof count === 'number' && Number.isInteger(count) && count >= 1 && count <= MOST_CLASSES) {
    if (asked === undefined) noticeGaps(name, labels as ArrayLike<number>, count);
    return Array.from({ length: count }, (_, label) => String(label));
  }
  throw asked === undefined
    ? new WeirError(
        `the labels of data set '${name}' tell no number of classes`,
        'give whole numbers from 0 on, or name the classes: { classes }',
      )
    : new WeirError(
        `data set '${name}' was given ${JSON.stringify(asked)} for its classes`,
        `give their names in the order of the labels, ['cat', 'dog'], or their number from 1 to ${MOST_CLASSES}`,
      );
}

/**
 * Refuses names that are one number written in two ways, such as '1' and '1.0': of one class that would make two.
 */
function checkNumbersOnce(name: string, names: readonly string[]): void {
  const found = new Map<number, string>();
  for (const one of names) {
    if (!NUMBER.test(one)) continue;
    const other = found.get(Number(one));
    if (other !== undefined) {
      throw new WeirError(
        `data set '${name}' has the labels '${other}' and '${one}', which are one number`,
        `write that label in one way; if they are two classes, name all: { classes: ['${other}', '${one}', …] }`,
      );
    }
    found.set(Number(one), one);
  }
}

const NUMBER = /^[+-]?(\d{1,15}\.?\d{0,15}|\.\d{1,15})(e[+-]?\d{1,2})?$/i;

/** Says which classes have no sample, where the highest label alone tells how many there are. */
function noticeGaps(name: string, labels: ArrayLike<number>, count: number): void {
  const found = new Set(Array.from(labels));
  const empty = Array.from({ length: count }, (_, label) => label).filter((label) => !found.has(label));
  if (empty.length === 0) return;
  const few = `${empty.slice(0, 8).join(', ')}${empty.length > 8 ? ', …' : ''}`;
  noticeOnce(
    `data set '${name}' has labels up to ${count - 1}, so ${count} classes, and no sample of ${empty.length} of them: ${few}`,
  );
}

/** Numbers by their size, then words by their characters: the same order on every machine. */
function inOrder(a: string, b: string): number {
  const [x, y] = [Number(a), Number(b)];
  if (!Number.isNaN(x) && !Number.isNaN(y) && x !== y) return x - y;
  return a < b ? -1 : Number(a > b);
}

/** The box in float32, as the values are. @throws {WeirError} for a box that holds not every sample */
function boxOf(
  name: string,
  values: Uint8Array | Float32Array,
  sampleShape: readonly number[],
  asked: Box | 'observed' | undefined,
): Box | undefined {
  if (asked === undefined) return undefined;
  if (values instanceof Uint8Array) {
    throw new WeirError(
      `data set '${name}' was given a box, and its values are bytes`,
      'leave the box out: bytes are pixels, from 0 to 255',
    );
  }
  const count = featuresOf(sampleShape);
  const box = asked === 'observed' ? observed(values, count) : asked;
  const bounds = (key: 'min' | 'max'): readonly number[] => {
    const found = [(box as Partial<Box>)[key] as unknown].flat();
    if ((found.length === 1 || found.length === count) && found.every((one) => Number.isFinite(one))) {
      return found.map((one) => Math.fround(one as number));
    }
    throw new WeirError(
      `${key} of the box of data set '${name}' is ${JSON.stringify((box as Partial<Box>)[key])}`,
      `give one finite number, or a list of ${count}: one for each feature, or for each channel of an image`,
    );
  };
  const [min, max] = [bounds('min'), bounds('max')];
  const length = sizeOf(sampleShape);
  const odd = values.findIndex(
    (value, i) => value < min[(i % count) % min.length]! || value > max[(i % count) % max.length]!,
  );
  if (odd !== -1) {
    const range = `[${min[(odd % count) % min.length]}, ${max[(odd % count) % max.length]}]`;
    throw new WeirError(
      `sample ${Math.floor(odd / length)} of data set '${name}' holds ${values[odd]} at position ${coordinatesOf(odd % length, sampleShape)}, outside of its box ${range}`,
      "widen the box, mend that sample, or give box: 'observed'",
    );
  }
  const short = (all: readonly number[]) => (all.length === 1 ? all[0]! : all);
  return { min: short(min), max: short(max) };
}

/** Features of a sample that have a range of their own: the channels of an image, else every value. */
export const featuresOf = (sampleShape: readonly number[]): number =>
  sampleShape.length === 3 ? sampleShape[2]! : sizeOf(sampleShape);

function observed(values: Float32Array, count: number): Box {
  const min = new Array<number>(count).fill(Number.POSITIVE_INFINITY);
  const max = new Array<number>(count).fill(Number.NEGATIVE_INFINITY);
  for (const [i, value] of values.entries()) {
    const feature = i % count;
    if (value < min[feature]!) min[feature] = value;
    if (value > max[feature]!) max[feature] = value;
  }
  return { min, max };
}
