import { colorShape } from './image-shape.js';
import type { OpDefinition } from './op-op.js';
import { checkProbability } from './options.js';
import { toGray } from './to-gray.js';

export interface RandomGrayscale {
  readonly op: 'randomGrayscale';
  readonly probability: number;
}

/** Makes an image gray, in all of its channels, by chance. */
export const randomGrayscale = ({ probability = 0.1 }: { probability?: number } = {}): RandomGrayscale => ({
  op: 'randomGrayscale',
  probability,
});

export const randomGrayscaleDefinition: OpDefinition<RandomGrayscale> = {
  kind: 'pixels',
  prepare({ op, probability }, shape) {
    const [height, width, channels] = colorShape(op, shape);
    checkProbability(op, probability);
    return (values, random) => {
      if (random().uniform() < probability && channels === 3) toGray(values, height * width * channels);
    };
  },
};
