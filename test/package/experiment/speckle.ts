import { defineOp } from 'weir-engine/augment';

/** An augmentation op of one's own, in worker threads: some pixels become black or white. */
export const speckle = defineOp({
  name: 'speckle',
  module: import.meta.url,
  kind: 'pixels',
  defaults: { part: 0.1 },
  prepare: ({ part }) => {
    if (!(part >= 0 && part <= 1)) throw new Error(`part is ${part}, expected a number from 0 to 1`);
    return (values, random) => {
      const chance = random();
      for (let i = 0; i < values.length; i++) {
        if (chance.uniform() < part) values[i] = chance.uniform() < 0.5 ? 0 : 255;
      }
    };
  },
});
