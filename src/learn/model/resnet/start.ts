import { keyed, type Random } from '../../../flow/seed.js';
import { tf } from '../../../tensorflow/device-tf.js';
import type { Weights } from '../model-model.js';
import { convolutionsOf, type Plan } from './resnet-plan.js';

/**
 * 'torch': kernels U(±1/√fanIn), the default of PyTorch's layers (Kaiming uniform with a = √5), as in the authors' networks on
 * CIFAR-10. 'he': convolution kernels N(0, 2/fanOut). The readout and its bias are U(±1/√fanIn) either way.
 */
export type Start = 'torch' | 'he';

/** Fresh weights: a function of the seed alone. Scales and variances are 1, offsets and means 0. */
export function startResnet(plan: Plan, seed: number, start: Start): Weights {
  const weights = new Map<string, tf.Tensor>();
  const convolutions = convolutionsOf(plan);
  const drawn = (layer: number, part: number, size: number, draw: (random: Random) => number): Float32Array => {
    const random = keyed(seed, 'weights', layer, part);
    return Float32Array.from({ length: size }, () => draw(random));
  };
  const uniform = (bound: number) => (random: Random) => bound * (2 * random.uniform() - 1);

  convolutions.forEach(({ kernel, norm, size, in: from, out }, layer) => {
    const fanIn = size * size * from;
    const deviation = Math.sqrt(2 / (size * size * out));
    const draw = start === 'he' ? (random: Random) => deviation * random.normal() : uniform(1 / Math.sqrt(fanIn));
    weights.set(kernel, tf.tensor4d(drawn(layer, 0, fanIn * out, draw), [size, size, from, out]));
    weights.set(norm.scale, tf.ones([out]));
    weights.set(norm.offset, tf.zeros([out]));
    weights.set(norm.mean, tf.zeros([out]));
    weights.set(norm.variance, tf.ones([out]));
  });
  const { features, classes } = plan;
  const draw = uniform(1 / Math.sqrt(features));
  const layer = convolutions.length;
  weights.set('readout/kernel', tf.tensor2d(drawn(layer, 0, features * classes, draw), [features, classes]));
  weights.set('readout/bias', tf.tensor1d(drawn(layer, 1, classes, draw)));
  return weights;
}
