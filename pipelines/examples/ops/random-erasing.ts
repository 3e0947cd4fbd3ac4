import { defineOp, imageShape } from 'weir-engine/augment';

/**
 * Random erasing (Zhong et al., 2020), squares only: a square of each image, at a random place, becomes black.
 *
 * It stands in a module of its own, which every worker thread imports.
 */
export const randomErasing = defineOp({
  name: 'randomErasing',
  module: import.meta.url,
  kind: 'moving', // bytes stay bytes
  defaults: { size: 8, probability: 0.5 },
  prepare({ size, probability }, shape) {
    const [height, width, channels] = imageShape('randomErasing', shape);
    if (size > Math.min(height, width)) throw new Error(`a square of ${size} pixels does not fit`);
    return (values, random) => {
      const chance = random();
      if (chance.uniform() >= probability) return;
      const top = chance.integer(height - size + 1);
      const left = chance.integer(width - size + 1);
      for (let y = top; y < top + size; y++) {
        values.fill(0, (y * width + left) * channels, (y * width + left + size) * channels);
      }
    };
  },
});
