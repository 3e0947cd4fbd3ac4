import { toGrey } from '../pixels/to-grey.js';
import { colourShape } from './image-shape.js';
import type { OpDefinition } from './op.js';
import { checkProbability } from './options.js';

export interface RandomGreyscale {
  readonly op: 'randomGreyscale';
  readonly probability: number;
}

/** Makes an image grey, in all of its channels, by chance. */
export const randomGreyscale = ({ probability = 0.1 }: { probability?: number } = {}): RandomGreyscale => ({
  op: 'randomGreyscale',
  probability,
});

export const randomGreyscaleDefinition: OpDefinition<RandomGreyscale> = {
  kind: 'pixels',
  prepare({ op, probability }, shape) {
    const [height, width, channels] = colourShape(op, shape);
    checkProbability(op, probability);
    return (values, random) => {
      if (random().uniform() < probability && channels === 3) toGrey(values, height * width * channels);
    };
  },
};
