import { invertAbove } from '../pixels/colour.js';
import type { OpDefinition } from './op.js';
import { within } from './options.js';

export interface RandomSolarise {
  readonly op: 'randomSolarise';
  /** In units of bytes: values from here on are turned over. */
  readonly threshold: number;
  readonly probability: number;
}

/** Turns bright values over by chance, as an overexposed film does. Before `unitScale`. */
export const randomSolarise = ({
  threshold = 128,
  probability = 0.5,
}: Partial<Omit<RandomSolarise, 'op'>> = {}): RandomSolarise => ({ op: 'randomSolarise', threshold, probability });

export const randomSolariseDefinition: OpDefinition<RandomSolarise> = {
  kind: 'free',
  prepare({ threshold, probability }) {
    within('randomSolarise', 'threshold', threshold, 0, 255);
    within('randomSolarise', 'probability', probability, 0, 1);
    return (values, random) => {
      if (random().uniform() < probability) invertAbove(values, threshold);
    };
  },
};
