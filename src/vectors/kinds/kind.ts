import { tf } from '../../tensorflow/tf.js';
import type { Actual, VectorFields, VectorTensor } from '../vector-file.js';

/** Computes the results that the cases of a kind expect, with Weir's own code. */
export interface VectorKind {
  readonly kind: string;
  /**
   * The results of the kind, by key; a function is called where the case expects its key.
   *
   * @param expected read for its sizes alone, such as the number of steps traced
   */
  compute(input: VectorFields, expected: VectorFields): Readonly<Record<string, () => Actual>>;
}

/** A tensor of a reference vector in float32. */
export const upload = ({ data, shape }: VectorTensor): tf.Tensor => tf.tensor([...data], [...shape], 'float32');

/** Its values on the host; it is disposed of. */
export function taken(tensor: tf.Tensor): Float32Array {
  const values = tensor.dataSync<'float32'>().slice();
  tensor.dispose();
  return values as Float32Array;
}
