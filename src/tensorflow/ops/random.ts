import { sizeOf } from '../../flow/data.js';
import { Random } from '../../flow/random.js';
import { tf } from '../tf.js';
import { attribute, execute, hasNative } from './eager.js';

/** The key of random numbers, two int32: `seeds(...)` of flow/random.ts makes them. */
export type Seeds = readonly [number, number];

/**
 * Standard normal numbers that are a function of `seeds` and `shape` alone (TensorFlow's Philox, whatever the threads).
 *
 * The WebAssembly runtime takes the generator of flow/random.ts: other numbers, equally reproducible, ten times slower.
 */
export function statelessNormal(shape: readonly number[], seeds: Seeds): tf.Tensor {
  if (hasNative()) {
    const types = [attribute.type('dtype', 'float32'), attribute.type('T', 'int32'), attribute.type('Tseed', 'int32')];
    return tf.tidy(() =>
      execute('StatelessRandomNormal', types, [tf.tensor1d([...shape], 'int32'), tf.tensor1d([...seeds], 'int32')]),
    );
  }
  const random = new Random(...seeds);
  return tf.tensor(
    Float32Array.from({ length: sizeOf(shape) }, () => random.normal()),
    [...shape],
  );
}
