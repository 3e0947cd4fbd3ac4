import type { StoredTensor } from './safetensors.js';

/** Where a network's first weights come from: a safetensors file, or a run. */
export interface WeightSource {
  /** How messages call it. */
  readonly shown: string;
  /** Its tensors by their names there; it is asked once, when they are first needed. @throws {WeirError} where it cannot be read */
  read(): ReadonlyMap<string, StoredTensor>;
  /** The names that a weight of a model may go by there, the usual one first. */
  namesOf(weight: string): readonly [string, ...string[]];
  /** A tensor of it in the layout of Weir: kernels HWIO, matrices [in, out]. */
  laidOut(tensor: StoredTensor): StoredTensor;
}
