import { WeirError } from '../../../flow/errors.js';
import type { OpenShape } from './op-op.js';

/** Height, width and channels of a sample that is an image, for an op that needs one. */
export function imageShape(op: string, shape: readonly number[]): [height: number, width: number, channels: number];
export function imageShape(
  op: string,
  shape: OpenShape,
): [height: number | undefined, width: number | undefined, channels: number];
export function imageShape(op: string, shape: OpenShape) {
  const [height, width, channels] = shape;
  if (shape.length !== 3 || channels === undefined) {
    throw new WeirError(
      `op '${op}' needs images of [height, width, channels], but the samples are [${shape.join(', ')}]`,
      'take it out of the recipe, or give a data set of images',
    );
  }
  return [height, width, channels];
}

/** Channels of an image for an op on colors: three, or one that is gray. */
export function colorShape(op: string, shape: readonly number[]): [height: number, width: number, channels: 1 | 3] {
  const [height, width, channels] = imageShape(op, shape);
  if (channels !== 1 && channels !== 3) {
    throw new WeirError(
      `op '${op}' needs images of 3 channels (red, green, blue) or 1, but the samples have ${channels}`,
      'take it out of the recipe',
    );
  }
  return [height, width, channels];
}
