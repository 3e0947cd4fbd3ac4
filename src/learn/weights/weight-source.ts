import type { NetworkMetadata } from '../about.js';
import type { StoredTensor } from './weights-safetensors.js';

/** What a source of weights holds. */
export interface Stored {
  /** By their names there. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** What it says of the network beside its tensors. */
  readonly about: NetworkMetadata;
  /** What was done to read it, for the user to know: a line each. */
  readonly notes?: readonly string[];
}

/** Where a network's first weights come from: a safetensors file, or a run. */
export interface WeightSource {
  /** How messages call it. */
  readonly shown: string;
  /** What is in it; it is asked once, when it is first needed. @throws {WeirError} where it cannot be read */
  read(): Stored;
  /** The names that a weight of a model may go by there, the usual one first. */
  namesOf(weight: string): readonly [string, ...string[]];
  /** A tensor of it in the layout of Weir: kernels HWIO, matrices [in, out]. */
  laidOut(tensor: StoredTensor): StoredTensor;
}
