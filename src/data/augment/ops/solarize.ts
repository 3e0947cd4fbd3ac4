import { sizeOf } from '../../../flow/data.js';
import { WeirError } from '../../../flow/errors.js';
import { lookUp } from '../kernels/look-up.js';
import { checkProbability, op } from './op.js';

const table = new Uint8Array(256);

/** Inverts every byte from a threshold on: 255 − x. */
export function solarizePixels(values: Uint8Array, length: number, threshold: number): void {
  for (let x = 0; x < 256; x++) table[x] = x >= threshold ? 255 - x : x;
  lookUp(values, length, table);
}

export interface SolarizeOptions {
  /** The least byte that is inverted; 128 by default. */
  readonly threshold?: number;
  readonly probability?: number;
}

/** Inverts all bytes from a threshold on, by chance where a `probability` is given. */
export const solarize = op(
  'solarize',
  { threshold: 'optional', probability: 'optional' },
  ({ threshold = 128, probability = 1 }: SolarizeOptions = {}) => ({ threshold, probability }),
  {
    kind: 'pixels',
    prepare({ op, threshold, probability }, shape) {
      checkProbability(op, probability);
      if (!(threshold >= 0 && threshold <= 256)) {
        throw new WeirError(
          `op '${op}' has threshold ${threshold}`,
          'give a byte from 0 to 255, or 256 to invert none',
        );
      }
      const length = sizeOf(shape);
      return (values, random) => {
        if (random().uniform() < probability) solarizePixels(values, length, threshold);
      };
    },
  },
);
