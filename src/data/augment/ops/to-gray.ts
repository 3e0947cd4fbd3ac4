import { adjustSaturation } from './saturation.js';

/** Makes an image of red, green and blue gray, in all three: no saturation is left. */
export const toGray = (values: Uint8Array, length: number): void => adjustSaturation(values, length, 0);
