import type { Data, TypedArray } from './data.js';
import { WeirError } from './errors.js';

/** The classes that labels stand for: their names in the order of the labels, and the data set or network that has them. */
export type ClassNames = {
  /** How messages call it. */
  readonly of: string;
  readonly names: readonly string[];
};

/** One spelling of a name in Unicode (NFC): macOS writes 'é' as two characters, Linux as one. */
export const canonicalName = (name: string): string => name.normalize('NFC');

export const sameNames = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((name, i) => canonicalName(name) === canonicalName(b[i]!));

/** Mean and standard deviation of each channel, in units of [0, 1], that values were normalized with. */
export type NormalizedBy = { readonly mean: readonly number[]; readonly std: readonly number[] };

/**
 * The properties of a stream that are known before its first item. A header goes the way of the items when the graph is wired, so streams
 * that do not fit together are refused before any work begins.
 */
export type Header = {
  /** Of the samples' labels; behind a training step, of the network's outputs. */
  readonly classes?: ClassNames;
  readonly normalization?: NormalizedBy;
  /** How many there are in an epoch. */
  readonly samples?: number;
  /** Behind a loader: how many there are. */
  readonly epochs?: number;
  /** Behind a stage that makes batches. */
  readonly batches?: Batches;
  /** Behind a training step. */
  readonly training?: TrainingLength;
};

/** The length of a training, unless a stage ends it before. */
export type TrainingLength = { readonly epochs: number; readonly updates?: number };

/** Batches in an epoch, and the samples of all ranks in each and in the last one. */
export type Batches = { readonly count: number; readonly size: number; readonly last: number };

/** Makes the headers of a stage's outputs from those of its items; several where an operator merges streams. */
export type Introduce = (incoming: readonly Header[]) => readonly Header[];

/** The headers of several streams as one list, each once. */
export function distinctHeaders(headers: readonly Header[]): readonly Header[] {
  const seen = new Map(headers.map((header) => [JSON.stringify(header), header]));
  return [...seen.values()];
}

/**
 * The classes of the items that come to a stage; undefined where nothing is known of them.
 *
 * @throws {WeirError} where it gets items of several data sets whose classes differ
 */
export function classesOf(stage: string, incoming: readonly Header[]): ClassNames | undefined {
  const [first, ...others] = incoming.flatMap(({ classes }) => (classes === undefined ? [] : [classes]));
  const odd = others.find(({ names }) => !sameNames(names, first!.names));
  if (odd === undefined) return first;
  throw new WeirError(
    `stage '${stage}' gets samples of '${first!.of}' and of '${odd.of}', whose classes are not the same in the same order`,
    `bring them to one: alignedTo(${JSON.stringify(first!.of)}'s classes, …) gives a data set with the labels of another`,
  );
}

/** The description of a stream's items, as plain data that the engine carries and never reads. */
export interface Declaration {
  readonly name: string;
  readonly description: Data;
  /** Whether the items are of the members of an ensemble: several at one position. */
  readonly ofMembers?: boolean;
}

/** One thing that can be compared: a count, a checksum, or names in order. */
export type FingerprintValue = string | number | readonly (string | number)[];

/** The identity of an input: properties by name, which differ where its contents differ. Plain JSON. */
export interface Fingerprint {
  readonly properties: Readonly<Record<string, FingerprintValue>>;
  /** Of an input that lies in many files, a line for each, `checksum path`, in their order: so that one that differs can be named. */
  readonly files?: readonly string[];
}

/** An input of the graph besides the config and the module, such as a data set or the weights of another run. */
export interface Input {
  /** As messages call it. */
  readonly name: string;
  /** Reads all of it, which takes seconds where it is large. */
  fingerprint(): Fingerprint;
  /** The labeled samples, where it has some. */
  readonly samples?: InputSamples;
  /** Of images: a number for each file, in their order, that is the same where the file is. */
  readonly marks?: (() => Float64Array) | undefined;
}

/** Samples by their bytes, so that those of one input can be found in another. */
export interface InputSamples {
  readonly size: number;
  readonly sampleShape: readonly number[];
  readonly values?: TypedArray | undefined;
}
