// Numbers that the kernels and the TypeScript beside them share. Both languages read this file, so they cannot disagree.

/** Bits after the point of the weights of red, green and blue in gray: 0.2989, 0.587 and 0.114, as in torchvision. */
export const GRAY_BITS = 20;
export const RED = 313_419;
export const GREEN = 615_514;
export const BLUE = 119_538;

/** Bits after the point of the hue and of a color's level while a hue is turned. */
export const HUE_BITS = 16;

/** Bits after the point of the weights of a blur, and of the values between its two passes. */
export const BLUR_BITS = 15;
export const BETWEEN_BITS = 6;
/** Bits that a sum loses after the pass down columns, and after the pass along rows. */
export const DOWN_SHIFT = BLUR_BITS - BETWEEN_BITS;
export const ALONG_SHIFT = BLUR_BITS + BETWEEN_BITS;

/** Pixels that `enlargeAcross` makes in one step: entries and weights of a row are filled up to a multiple of it. */
export const ENLARGE_STEP = 4;

/** Values that a look-up takes in one step. */
export const LOOK_UP_STEP = 12;
/** Addresses of the tables: of floats one for each of three channels, behind them one of bytes. */
export const FLOAT_TABLES = 0;
export const BYTE_TABLE = 3 * 1024;
