/** What red, green and blue weigh in grey (0.2989, 0.587, 0.114, as in torchvision), times 2²⁰. */
const RED = Math.round(0.2989 * 2 ** 20);
const GREEN = Math.round(0.587 * 2 ** 20);
const BLUE = Math.round(0.114 * 2 ** 20);

/** The grey of a pixel, rounded down. */
export const grey = (r: number, g: number, b: number): number => (r * RED + g * GREEN + b * BLUE) >> 20;

/** The mean grey of an image of 1 or 3 channels. */
export function meanGrey(values: Uint8Array, length: number, channels: 1 | 3): number {
  let sum = 0;
  if (channels === 1) for (let i = 0; i < length; i++) sum += values[i]!;
  else for (let i = 0; i < length; i += 3) sum += grey(values[i]!, values[i + 1]!, values[i + 2]!);
  return (sum * channels) / length;
}

/** Makes an image of red, green and blue grey, in all three. */
export function toGrey(values: Uint8Array, length: number): void {
  for (let i = 0; i < length; i += 3) {
    const level = grey(values[i]!, values[i + 1]!, values[i + 2]!);
    values[i] = level;
    values[i + 1] = level;
    values[i + 2] = level;
  }
}
