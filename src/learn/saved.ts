import { tf } from './device/tf.js';
import type { Weights } from './model/model.js';

/** Tensors by name as plain data, in their order. */
export type SavedTensors = readonly {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}[];

/** Copies tensors off the device. */
export function savedTensors(tensors: Weights): SavedTensors {
  return [...tensors].map(([name, tensor]) => ({
    name,
    shape: tensor.shape,
    values: tensor.dataSync<'float32'>().slice(),
  }));
}

/** Puts them back, to the bit. */
export function restoreTensors(saved: SavedTensors): Weights {
  return new Map(saved.map(({ name, shape, values }) => [name, tf.tensor(values, [...shape], 'float32')]));
}
