import { WeirError } from '../../flow/errors.js';
import { tf } from '../../tensorflow/tf.js';
import type { Model, Weights } from '../model/model.js';

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

/** Uploads them again, to the bit. */
export function restoreTensors(saved: SavedTensors): Weights {
  return new Map(saved.map(({ name, shape, values }) => [name, tf.tensor(values, [...shape], 'float32')]));
}

/** Shapes of tensors by their name. */
export type Shapes = ReadonlyMap<string, readonly number[]>;

export const shapesOf = (tensors: Weights): Shapes => new Map([...tensors].map(([name, { shape }]) => [name, shape]));

/** Compares saved weights with the shapes of a model's own. @throws {WeirError} where they differ */
export function checkShapes(model: Pick<Model, 'name'>, shapes: Shapes, saved: SavedTensors): void {
  const shown = (shape: readonly number[] | undefined): string =>
    shape === undefined ? 'missing' : `[${shape.join(', ')}]`;
  const there = new Map(saved.map(({ name, shape }) => [name, shape]));
  const odd = [...new Set([...shapes.keys(), ...there.keys()])].find(
    (name) => shown(shapes.get(name)) !== shown(there.get(name)),
  );
  if (odd === undefined) return;
  throw new WeirError(
    `the snapshot is of another model than ${model.name}: '${odd}' is ${shown(there.get(odd))} there and ${shown(shapes.get(odd))} here`,
    'resume the run with the pipeline module and config that it was started with',
  );
}
