import { WeirError } from '../../../flow/errors.js';

/** A number that is drawn uniformly from a range, or always the same. */
export type Range = readonly [least: number, most: number];

/** Refuses a probability outside of 0 to 1. */
export function checkProbability(op: string, probability: number): void {
  if (!(probability >= 0 && probability <= 1)) {
    throw new WeirError(`op '${op}' has probability ${probability}`, 'give a number from 0 to 1');
  }
}

/** Height and width in pixels; one number where both are the same. */
export type Size = number | readonly [height: number, width: number];

/** Refuses a size that no image has. */
export function checkSize(op: string, size: Size): void {
  const extents = typeof size === 'number' ? [size] : size;
  if (
    !(
      Array.isArray(extents) &&
      extents.length <= 2 &&
      extents.every((extent) => Number.isInteger(extent) && extent > 0)
    )
  ) {
    throw new WeirError(
      `op '${op}' has size ${JSON.stringify(size)}`,
      'give a whole number of pixels from 1 on, or [height, width]',
    );
  }
}

/** Height and width of what is checked already. */
export const bothExtents = (size: Size): readonly [height: number, width: number] =>
  typeof size === 'number' ? [size, size] : size;

/** Refuses a range that is no two growing numbers inside [least, most]. */
export function checkRange(op: string, key: string, range: Range, least: number, most: number, remedy: string): void {
  const [from, to] = range;
  if (!(range.length === 2 && least <= from && from <= to && to <= most && Number.isFinite(to))) {
    throw new WeirError(`op '${op}' has ${key} ${JSON.stringify(range)}`, remedy);
  }
}
