import { WeirError } from '../../../core/errors.js';

/** Height, width and channels of a sample that is an image, for an op that needs one. */
export function imageShape(op: string, shape: readonly number[]): [height: number, width: number, channels: number] {
  const [height, width, channels] = shape;
  if (shape.length !== 3 || height === undefined || width === undefined || channels === undefined) {
    throw new WeirError(
      `op '${op}' needs images of [height, width, channels], but the samples are [${shape.join(', ')}]`,
      'take it out of the recipe, or give a data set of images',
    );
  }
  return [height, width, channels];
}
