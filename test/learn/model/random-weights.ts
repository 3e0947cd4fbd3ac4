import type { Model, Weights } from '../../../src/learn/model/model.js';
import { tf } from '../../../src/tensorflow/tf.js';

/** Numbers in [−½, ½) that any language makes alike. */
export const numbers = (key: number, size: number): Float64Array =>
  Float64Array.from({ length: size }, (_, i) => {
    const value = Math.sin(i * 12.9898 + key * 78.233) * 43758.5453;
    return value - Math.floor(value) - 0.5;
  });

/**
 * The weights of the references of PyTorch: kernels, scales about 1, offsets about 0, by the place of the layer.
 *
 * @param keyOfHead the key of a weight behind the feature map; undefined for any other
 */
export function madeUpWeights(model: Model, keyOfHead: (name: string) => number | undefined): Weights {
  const layer = new Map(model.featureLayers.map(({ name }, i) => [name, i]));
  return new Map(
    [...model.start(0)].map(([name, { shape, size }]) => {
      const of = layer.get(name.replace(/\/(kernel|norm\/.*)$/, '')) ?? -1;
      const made = (key: number, factor: number, about = 0) => numbers(key, size).map((v) => about + factor * v);
      const values = (): Float64Array => {
        if (name.endsWith('norm/scale')) return made(of + 100, 0.4, 1);
        if (name.endsWith('norm/offset')) return made(of + 200, 0.4);
        if (name.endsWith('norm/mean')) return new Float64Array(size);
        if (name.endsWith('norm/variance')) return new Float64Array(size).fill(1);
        const key = keyOfHead(name);
        return key === undefined ? made(of, 2 * Math.sqrt((2 * shape[3]!) / size)) : made(key, 1);
      };
      return [name, tf.tensor(Float32Array.from(values()), shape)];
    }),
  );
}
