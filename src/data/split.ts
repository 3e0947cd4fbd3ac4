import { WeirError } from '../flow/errors.js';
import { checkOptions } from '../flow/options.js';
import { keyed } from '../flow/random.js';
import {
  type AnyDataset,
  type Dataset,
  type ImageDataset,
  sampleLength,
  sharedBytes,
  sharedFloats,
} from './dataset.js';
import { imagesAt } from './images/reader.js';
import { labelsAt, sharedLabels } from './sample-check.js';

export interface SplitOptions {
  /** Samples held back for testing: a part of all, below 1, to the nearest sample; or a count from 1 on. */
  readonly test: number;
  /** Samples held back to choose by, such as when training stops: a part of all or a count, as `test`. None by default. */
  readonly validation?: number;
  readonly seed: number;
  /** Whether every class is in each part in its proportion, to within one sample. True by default. */
  readonly stratified?: boolean;
}

export interface SplitParts<D extends AnyDataset> {
  readonly train: D;
  readonly test: D;
}

/**
 * Splits a data set by seed into disjoint parts, the same on every machine. Each part has the samples in their order.
 *
 * @throws {WeirError} where a part would be empty, or training would lack a class
 * @example const { train, validation, test } = split(flowers, { test: 0.2, validation: 0.1, seed: 0 });
 */
export function split<D extends AnyDataset>(
  dataset: D,
  options: SplitOptions & { readonly validation: number },
): SplitParts<D> & { readonly validation: D };
export function split<D extends AnyDataset>(dataset: D, options: SplitOptions): SplitParts<D>;
export function split<D extends AnyDataset>(
  dataset: D,
  options: SplitOptions,
): SplitParts<D> & { readonly validation?: D } {
  const {
    test,
    validation,
    seed,
    stratified = true,
  } = checkOptions('split', options, {
    test: 'required',
    validation: 'optional',
    seed: 'required',
    stratified: 'optional',
  });
  const counts = { test: countOf(dataset, 'test', test), validation: 0 };
  if (validation !== undefined) counts.validation = countOf(dataset, 'validation', validation);
  if (counts.test + counts.validation >= dataset.size) {
    throw new WeirError(
      `of the ${dataset.size} samples of '${dataset.name}' none is left to train on: ${counts.test} are for testing, ${counts.validation} for validation`,
      'hold back fewer',
    );
  }
  const groups = stratified ? byClass(dataset) : [Uint32Array.from({ length: dataset.size }, (_, i) => i)];
  const held = chosen(groups, counts.test, (group) => keyed(seed, stratified ? 'split' : 'split/whole', group));
  const left = groups.map((group) => group.filter((index) => !held.has(index)));
  const validating = chosen(left, counts.validation, (group) => keyed(seed, 'split/validation', group));
  const rest = left.map((group) => group.filter((index) => !validating.has(index)));
  const lost = groups.findIndex((group, label) => group.length > 0 && rest[label]!.length === 0);
  if (lost !== -1) {
    throw new WeirError(
      `class '${dataset.classes[lost]}' of '${dataset.name}' has ${groups[lost]!.length} sample${groups[lost]!.length === 1 ? '' : 's'}, and none is left to train on`,
      'hold back fewer samples, give that class more, or split with stratified: false',
    );
  }
  const part = (name: string, indices: Iterable<number>): D =>
    subset(dataset, `${dataset.name}/${name}`, Uint32Array.from(indices).sort());
  return {
    train: part(
      'train',
      rest.flatMap((group) => [...group]),
    ),
    test: part('test', held),
    ...(validation !== undefined && { validation: part('validation', validating) }),
  };
}

function countOf({ name, size }: AnyDataset, key: string, asked: number): number {
  const count = asked < 1 ? Math.round(asked * size) : asked;
  if (Number.isInteger(count) && count >= 1 && count < size) return count;
  throw new WeirError(
    `split was asked for ${key}: ${asked} of the ${size} samples of '${name}'`,
    `give a part between 0 and 1 that is at least one sample, or a whole number from 1 to ${size - 1}`,
  );
}

function byClass({ classes, labels }: AnyDataset): Uint32Array[] {
  const groups = classes.map((): number[] => []);
  for (const [index, label] of labels.entries()) groups[label]!.push(index);
  return groups.map((group) => Uint32Array.from(group));
}

/** So many members of the groups, of each in its proportion: the running total is rounded, so that all add up. */
function chosen(groups: readonly Uint32Array[], count: number, random: (group: number) => Random): Set<number> {
  const size = groups.reduce((sum, { length }) => sum + length, 0);
  const held = new Set<number>();
  let seen = 0;
  for (const [g, group] of groups.entries()) {
    const members = group.slice();
    seen += members.length;
    const own = Math.round((count * seen) / size) - held.size;
    const draws = random(g);
    for (let i = 0; i < own; i++) {
      const j = i + draws.integer(members.length - i);
      held.add(members[j]!);
      members[j] = members[i]!;
    }
  }
  return held;
}

type Random = ReturnType<typeof keyed>;

function subset<D extends AnyDataset>(dataset: D, name: string, indices: Uint32Array): D {
  const labels = sharedLabels(dataset.classes.length, indices.length);
  labels.set(labelsAt(dataset.labels, indices));
  const about = { name, size: indices.length, labels };
  if (dataset.images) {
    return { ...(dataset as ImageDataset), ...about, images: imagesAt(dataset.images, indices) } as AnyDataset as D;
  }
  const { values, origins } = dataset as Dataset;
  const length = sampleLength(dataset);
  const own = (values instanceof Uint8Array ? sharedBytes : sharedFloats)(indices.length * length);
  for (const [to, from] of indices.entries()) own.set(values.subarray(from * length, (from + 1) * length), to * length);
  const files = origins && { origins: Float64Array.from(indices, (index) => origins[index]!) };
  return { ...dataset, ...about, values: own, ...files };
}
