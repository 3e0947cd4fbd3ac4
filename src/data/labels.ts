/** Classes of samples, by number: bytes, or two each where there are more than 256 classes. */
export type Labels = Uint8Array | Uint16Array;

/** Room for the labels of `length` samples, of the same kind as others. */
export const labelsLike = (labels: Labels, length: number): Labels =>
  labels instanceof Uint16Array ? new Uint16Array(length) : new Uint8Array(length);

/** Room for labels on memory that threads share, as wide as the number of classes needs. */
export const sharedLabels = (classes: number, length: number): Labels =>
  classes > 256 ? new Uint16Array(new SharedArrayBuffer(2 * length)) : new Uint8Array(new SharedArrayBuffer(length));

/** The labels of the samples at `indices`. */
export function labelsAt(labels: Labels, indices: Uint32Array): Labels {
  const found = labelsLike(labels, indices.length);
  for (let i = 0; i < indices.length; i++) found[i] = labels[indices[i]!]!;
  return found;
}
