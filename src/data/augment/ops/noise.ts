import { WeirError } from '../../../flow/errors.js';
import { imageShape, op } from './op.js';

export interface GaussianNoiseOptions {
  /** Standard deviation, in the units of the values at that op. */
  readonly std: number;
}

/** Adds independent normal noise to every value; nothing is clipped. */
export const gaussianNoise = op('gaussianNoise', { std: 'required' }, (options: GaussianNoiseOptions) => options, {
  kind: 'free',
  prepare({ std }) {
    if (!(std >= 0)) throw new WeirError(`op 'gaussianNoise' has std ${std}`, 'give a number of 0 or more');
    return (values, random) => {
      const numbers = random();
      for (let i = 0; i < values.length; i++) values[i]! += std * numbers.normal();
    };
  },
});

/** Of the covariance of red, green and blue in [0, 1] over ImageNet; the values that training codes share. */
const EIGENVALUES = [0.2175, 0.0188, 0.0045] as const;
/** [channel, component] */
const EIGENVECTORS = [
  [-0.5675, 0.7192, 0.4009],
  [-0.5808, -0.0045, -0.814],
  [-0.5836, -0.6948, 0.4203],
] as const;

/** The color that three weights of the components add to red, green and blue. */
export const colorOf = (weights: readonly [number, number, number]): number[] =>
  EIGENVECTORS.map((row) => row.reduce((sum, entry, k) => sum + entry * EIGENVALUES[k]! * weights[k]!, 0));

export interface LightingOptions {
  /** Standard deviation of the weight of each principal component; 0.1 by default. */
  readonly std?: number;
}

/**
 * Adds a random color to the whole image: the principal components of ImageNet's colors, each times its eigenvalue and
 * a normal number (Krizhevsky, Sutskever, Hinton, 2012, 4.1). For values in [0, 1], so after `unitScale`; nothing is cut.
 */
export const lighting = op('lighting', { std: 'optional' }, ({ std = 0.1 }: LightingOptions = {}) => ({ std }), {
  kind: 'free',
  prepare({ op, std }, shape) {
    const [, , channels] = imageShape(op, shape);
    if (channels !== 3) {
      throw new WeirError(
        `op '${op}' needs images of 3 channels (red, green, blue), but the samples have ${channels}`,
        'take it out of the recipe',
      );
    }
    if (!(std >= 0)) throw new WeirError(`op '${op}' has std ${std}`, 'give a number of 0 or more');
    return (values, random) => {
      const numbers = random();
      const [r, g, b] = colorOf([std * numbers.normal(), std * numbers.normal(), std * numbers.normal()]);
      for (let i = 0; i < values.length; i += 3) {
        values[i]! += r!;
        values[i + 1]! += g!;
        values[i + 2]! += b!;
      }
    };
  },
});
