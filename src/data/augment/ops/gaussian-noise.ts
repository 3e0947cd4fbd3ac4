import { WeirError } from '../../../flow/errors.js';
import type { OpDefinition } from './op-op.js';

export interface GaussianNoise {
  readonly op: 'gaussianNoise';
  /** Standard deviation, in the units the values have by then. */
  readonly std: number;
}

/** Adds independent normal noise to every value; nothing is clipped. */
export const gaussianNoise = (options: Omit<GaussianNoise, 'op'>): GaussianNoise => ({
  op: 'gaussianNoise',
  ...options,
});

export const gaussianNoiseDefinition: OpDefinition<GaussianNoise> = {
  kind: 'free',
  prepare({ std }) {
    if (!(std >= 0)) throw new WeirError(`op 'gaussianNoise' has std ${std}`, 'give a number of 0 or more');
    return (values, random) => {
      const numbers = random();
      for (let i = 0; i < values.length; i++) values[i]! += std * numbers.normal();
    };
  },
};
