import { keyed } from '../../flow/random.js';

/**
 * Fills a weight with its first values.
 *
 * @param key the seed, the layer counted from the input (0 first), and 0 for its kernel, 1 for its bias
 */
export type Initialization = (
  values: Float32Array,
  key: { seed: number; layer: number; part: 0 | 1; fanIn: number },
) => void;

/**
 * N(0, deviation²) for kernels and biases alike: with 0.01 the initialization of the authors' MLPs (the paper names none).
 */
export const normal =
  (deviation = 0.01): Initialization =>
  (values, { seed, layer, part }) => {
    const random = keyed(seed, 'weights', layer, part);
    for (let i = 0; i < values.length; i++) values[i] = deviation * random.normal();
  };

/** U(−1/√fanIn, 1/√fanIn) for kernels and biases: the default of PyTorch's linear layers. */
export const uniform =
  (): Initialization =>
  (values, { seed, layer, part, fanIn }) => {
    const random = keyed(seed, 'weights', layer, part);
    const bound = 1 / Math.sqrt(fanIn);
    for (let i = 0; i < values.length; i++) values[i] = bound * (2 * random.uniform() - 1);
  };
