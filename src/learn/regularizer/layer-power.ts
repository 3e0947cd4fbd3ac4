import { WeirError } from '../../flow/errors.js';
import type { Grid } from '../../tensorflow/ops/spectral.js';
import type { Layer } from '../model/layer.js';
import type { Model } from '../model/model-model.js';
import { densePower } from '../spectral/dense-power.js';
import { frequencyPower } from '../spectral/frequency-power.js';
import { imagePower } from '../spectral/image-power.js';
import type { LayerPower, PowerOptions } from '../spectral/layer.js';

/**
 * The power iteration for a layer's kind.
 *
 * @param index of the layer among those that are penalized
 * @throws {WeirError} a size that the stride does not divide, where the search goes by frequencies
 */
export function layerPower(layer: Layer, model: Model, index: number, options: PowerOptions): LayerPower {
  if (layer.kind === 'dense') return densePower(layer, index, options);
  const grid = gridOf(layer.name, layer.inputSize, layer.stride, model, options.imageSize);
  if (options.formulation === 'image' && options.directions !== 'exact') return imagePower(layer, grid, index, options);
  if (grid.height % grid.stride !== 0 || grid.width % grid.stride !== 0) {
    throw new WeirError(
      `layer '${layer.name}' has stride ${grid.stride} on ${grid.height} × ${grid.width}: it has no frequencies where the stride does not divide the size`,
      "give an imageSize that the strides divide, or formulation: 'image'",
    );
  }
  return frequencyPower(layer, grid, index, options);
}

/** What a layer would meet if the model's images had that size: each halving rounds up. */
function gridOf(
  name: string,
  [height, width]: readonly [number, number],
  stride: number,
  model: Model,
  imageSize: PowerOptions['imageSize'],
): Grid {
  if (imageSize === undefined) return { height, width, stride };
  const [rows, columns] = imageSize;
  if (!(Number.isInteger(rows) && rows > 0 && Number.isInteger(columns) && columns > 0)) {
    throw new WeirError(
      `a spectral penalty was given imageSize [${imageSize.join(', ')}] for layer '${name}'`,
      'give whole numbers of pixels, [height, width], such as [32, 32]',
    );
  }
  const [whole, across] = model.inputShape as [number, number];
  return { height: Math.ceil((height * rows) / whole), width: Math.ceil((width * columns) / across), stride };
}
