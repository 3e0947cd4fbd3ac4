/** The number of channels of a sample: the last extent of an image [height, width, channels], else 1. */
export const channels = (shape: readonly number[]): number => (shape.length === 3 ? shape[2]! : 1);
