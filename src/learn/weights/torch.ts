import { sizeOf } from '../../flow/data.js';
import type { StoredTensor } from './safetensors.js';
import type { SavedTensors } from './saved-tensors.js';

/**
 * Names and layouts of PyTorch: those of torchvision's ResNets ('conv1.weight', 'layer1.0.bn1.running_mean',
 * 'layer2.0.downsample.0.weight', 'fc.weight'), and of other layers as they are called here ('hidden1.weight', 'projector1.bias').
 *
 * Kernels are OIHW there and HWIO here, matrices [out, in] there and [in, out] here.
 */
const parts: Readonly<Record<string, string>> = {
  kernel: 'weight',
  bias: 'bias',
  scale: 'weight',
  offset: 'bias',
  mean: 'running_mean',
  variance: 'running_var',
};

/** The names of a weight in PyTorch: of the readout all that are usual. The first one is written. */
export function torchNames(name: string): readonly [string, ...string[]] {
  const pieces = name.split('/');
  const part = parts[pieces.at(-1)!] ?? pieces.at(-1)!;
  if (pieces[0] === 'readout') return [`fc.${part}`, `linear.${part}`];
  const norm = pieces.includes('norm');
  if (pieces[0] === 'stem') return [`${norm ? 'bn' : 'conv'}1.${part}`];
  const block = name.match(/^stage(\d+)\/block(\d+)\/(?:conv(\d+)|shortcut)/);
  if (block === null) return [[...pieces.slice(0, -1), part].join('.')];
  const [, stage, number, conv] = block;
  const at = `layer${stage}.${Number(number) - 1}`;
  if (conv === undefined) return [`${at}.downsample.${norm ? 1 : 0}.${part}`];
  return [`${at}.${norm ? 'bn' : 'conv'}${conv}.${part}`];
}

/** A network's weights with PyTorch's names and layouts, in their order. */
export const inTorch = (weights: SavedTensors): Map<string, StoredTensor> =>
  new Map(weights.map((weight) => [torchNames(weight.name)[0], toTorch(weight)]));

/** A weight in the layout of PyTorch. */
export const toTorch = (tensor: StoredTensor): StoredTensor => permuted(tensor, orders[tensor.shape.length]?.[0]);

/** A weight of PyTorch in the layout of Weir. */
export const fromTorch = (tensor: StoredTensor): StoredTensor => permuted(tensor, orders[tensor.shape.length]?.[1]);

/** The permutations of axes by rank, to PyTorch's layout and from it. */
const orders: Readonly<Record<number, readonly [there: readonly number[], here: readonly number[]]>> = {
  2: [
    [1, 0],
    [1, 0],
  ],
  4: [
    [3, 2, 0, 1],
    [2, 3, 1, 0],
  ],
};

function permuted({ shape, values }: StoredTensor, order: readonly number[] | undefined): StoredTensor {
  if (order === undefined) return { shape, values };
  const steps = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const to = order.map((axis) => shape[axis]!);
  const out = new Float32Array(values.length);
  const coordinates = to.map(() => 0);
  for (let i = 0; i < out.length; i++) {
    let from = 0;
    for (let axis = 0; axis < coordinates.length; axis++) from += coordinates[axis]! * steps[order[axis]!]!;
    out[i] = values[from]!;
    for (let axis = coordinates.length - 1; axis >= 0 && ++coordinates[axis]! === to[axis]; axis--)
      coordinates[axis] = 0;
  }
  return { shape: to, values: out };
}
