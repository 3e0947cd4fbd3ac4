import { grey } from '../pixels/colour.js';
import type { OpDefinition } from './op.js';
import { colourShape, within } from './options.js';

export interface RandomGreyscale {
  readonly op: 'randomGreyscale';
  readonly probability: number;
}

/** Makes an image grey by chance; it keeps three channels. */
export const randomGreyscale = ({ probability = 0.1 }: { probability?: number } = {}): RandomGreyscale => ({
  op: 'randomGreyscale',
  probability,
});

export const randomGreyscaleDefinition: OpDefinition<RandomGreyscale> = {
  kind: 'free',
  prepare({ probability }, shape) {
    colourShape('randomGreyscale', shape);
    within('randomGreyscale', 'probability', probability, 0, 1);
    return (values, random) => {
      if (random().uniform() < probability) grey(values);
    };
  },
};
