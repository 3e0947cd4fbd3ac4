import { WeirError } from '../../../core/errors.js';
import { imageShape } from './image-shape.js';

/** @throws {WeirError} unless the value is a number from `least` to `most` */
export function within(op: string, key: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most) return;
  throw new WeirError(`op '${op}' has ${key} ${value}`, `give a number from ${least} to ${most}`);
}

/** @throws {WeirError} unless both are positive numbers, the first not above the second */
export function range(op: string, key: string, [low, high]: readonly [number, number]): void {
  if (low > 0 && high >= low && Number.isFinite(high)) return;
  throw new WeirError(`op '${op}' has ${key} [${low}, ${high}]`, 'give two positive numbers, the smaller one first');
}

/** Height, width and 3. @throws {WeirError} unless samples are images of three channels */
export function colourShape(op: string, shape: readonly number[]): [height: number, width: number, channels: 3] {
  const [height, width, channels] = imageShape(op, shape);
  if (channels === 3) return [height, width, channels];
  throw new WeirError(
    `op '${op}' needs images of red, green and blue, but the samples are [${shape.join(', ')}]`,
    'take it out of the recipe, or give a data set of colour images',
  );
}
