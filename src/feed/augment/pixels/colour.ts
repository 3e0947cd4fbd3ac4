/**
 * What colours do, in place, on images [height, width, 3] in units of bytes, 0 to 255; what goes beyond is cut off. The definitions are
 * those of torchvision v2 for float tensors.
 */

/** The brightness of a colour: how much red, green and blue count. */
const [RED, GREEN, BLUE] = [0.2989, 0.587, 0.114];

const clamp = (x: number): number => (x < 0 ? 0 : x > 255 ? 255 : x);

/** Every value times `factor`. */
export function brighten(image: Float32Array, factor: number): void {
  for (let i = 0; i < image.length; i++) image[i] = clamp(image[i]! * factor);
}

/** Every value moved away from the mean brightness of the image: `factor` times as far from it. */
export function contrast(image: Float32Array, factor: number): void {
  let sum = 0;
  for (let i = 0; i < image.length; i += 3) sum += RED * image[i]! + GREEN * image[i + 1]! + BLUE * image[i + 2]!;
  const rest = (1 - factor) * (sum / (image.length / 3));
  for (let i = 0; i < image.length; i++) image[i] = clamp(factor * image[i]! + rest);
}

/** Every pixel moved away from its own grey: `factor` times as far from it. */
export function saturate(image: Float32Array, factor: number): void {
  for (let i = 0; i < image.length; i += 3) {
    const [r, g, b] = [image[i]!, image[i + 1]!, image[i + 2]!];
    const rest = (1 - factor) * (RED * r + GREEN * g + BLUE * b);
    image[i] = clamp(factor * r + rest);
    image[i + 1] = clamp(factor * g + rest);
    image[i + 2] = clamp(factor * b + rest);
  }
}

/** Hues turned by `turn` of a full circle; what is brightest and palest in each pixel stays as it is. */
export function turnHue(image: Float32Array, turn: number): void {
  for (let i = 0; i < image.length; i += 3) {
    const r = image[i]!;
    const g = image[i + 1]!;
    const b = image[i + 2]!;
    const most = r > g ? (r > b ? r : b) : g > b ? g : b;
    const least = r < g ? (r < b ? r : b) : g < b ? g : b;
    const range = most - least;
    if (range === 0) continue; // a grey has no hue
    const hue = most === r ? (g - b) / range : most === g ? 2 + (b - r) / range : 4 + (r - g) / range;
    const turned = hue + 6 * turn + 12; // in sixths of the circle
    image[i] = most - range * below(turned + 5);
    image[i + 1] = most - range * below(turned + 3);
    image[i + 2] = most - range * below(turned + 1);
  }
}

/** How far a channel lies below the brightest one, 0 to 1, at that hue: up for a sixth, there for two, down for one, 0 for two. */
function below(hue: number): number {
  const k = hue - 6 * Math.floor(hue / 6);
  const least = k < 4 - k ? k : 4 - k;
  return least < 0 ? 0 : least > 1 ? 1 : least;
}

/** Each pixel's brightness in all three channels. */
export function grey(image: Float32Array): void {
  for (let i = 0; i < image.length; i += 3) {
    const level = RED * image[i]! + GREEN * image[i + 1]! + BLUE * image[i + 2]!;
    image[i] = level;
    image[i + 1] = level;
    image[i + 2] = level;
  }
}

/** Values from `threshold` on are turned over: 255 less the value. */
export function invertAbove(image: Float32Array, threshold: number): void {
  for (let i = 0; i < image.length; i++) if (image[i]! >= threshold) image[i] = 255 - image[i]!;
}
