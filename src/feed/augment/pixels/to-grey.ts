import { adjustSaturation } from './saturation.js';

/** Makes an image of red, green and blue grey, in all three: no saturation is left. */
export const toGrey = (values: Uint8Array, length: number): void => adjustSaturation(values, length, 0);
