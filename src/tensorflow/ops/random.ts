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
  return hasNative() ? draw('StatelessRandomNormal', shape, seeds) : fill(shape, seeds, (random) => random.normal());
}

/** Uniform numbers in [0, 1), drawn as `statelessNormal` draws normal ones. */
export function statelessUniform(shape: readonly number[], seeds: Seeds): tf.Tensor {
  return hasNative()
    ? draw('StatelessRandomUniform', shape, seeds)
    : fill(shape, seeds, (random) => Math.fround((random.uint32() >>> 8) * 2 ** -24));
}

function draw(name: string, shape: readonly number[], seeds: Seeds): tf.Tensor {
  return tf.tidy(() =>
    execute(
      name,
      [attribute.type('dtype', 'float32'), attribute.type('T', 'int32'), attribute.type('Tseed', 'int32')],
      [tf.tensor1d([...shape], 'int32'), tf.tensor1d([...seeds], 'int32')],
    ),
  );
}

function fill(shape: readonly number[], [seed1, seed2]: Seeds, next: (random: Random) => number): tf.Tensor {
  const random = new Random(seed1, seed2);
  const values = new Float32Array(sizeOf(shape));
  for (let i = 0; i < values.length; i++) values[i] = next(random);
  return tf.tensor(values, [...shape]);
}
