/** What red, green and blue weigh in gray (0.2989, 0.587, 0.114, as in torchvision), with so many bits after the point. */
export const WEIGHT_BITS = 20;
export const RED = Math.round(0.2989 * 2 ** WEIGHT_BITS);
export const GREEN = Math.round(0.587 * 2 ** WEIGHT_BITS);
export const BLUE = Math.round(0.114 * 2 ** WEIGHT_BITS);

/** The gray of a pixel, rounded down. */
export const gray = (r: number, g: number, b: number): number => (r * RED + g * GREEN + b * BLUE) >> WEIGHT_BITS;
