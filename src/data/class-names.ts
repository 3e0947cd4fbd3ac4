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
