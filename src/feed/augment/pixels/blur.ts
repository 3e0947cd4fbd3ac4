/** Beyond so many standard deviations a kernel's weights come to less than a quarter of a grey level in all. */
const REACH = 3.5;

/**
 * Gaussian blur by a kernel of `size` taps, normalised; beyond the edge the image is mirrored at its outermost pixel. In place. It is
 * `gaussian_blur` of torchvision v2, but for taps beyond 3.5 standard deviations.
 */
export function blurrer([height, width, channels]: readonly [number, number, number], size: number) {
  const row = width * channels;
  const radius = (size - 1) / 2;
  const line = new Float64Array((width + 2 * radius) * channels); // a row with what is mirrored on both sides
  const across = new Float32Array(height * row);
  const sums = new Float64Array(row);
  const weights = new Float64Array(radius + 1);

  return (image: Float32Array, sigma: number): void => {
    const reach = Math.min(radius, Math.ceil(REACH * sigma));
    let whole = 0;
    for (let t = 0; t <= reach; t++) {
      weights[t] = Math.exp(-0.5 * (t / sigma) ** 2);
      whole += t === 0 ? 1 : 2 * weights[t]!;
    }
    for (let t = 0; t <= reach; t++) weights[t]! /= whole;

    for (let y = 0; y < height; y++) {
      for (let x = -reach; x < width + reach; x++) {
        const from = y * row + mirrored(x, width) * channels;
        const to = (x + reach) * channels;
        for (let c = 0; c < channels; c++) line[to + c] = image[from + c]!;
      }
      for (let i = 0; i < row; i++) {
        const centre = i + reach * channels;
        let sum = weights[0]! * line[centre]!;
        for (let t = 1, d = channels; t <= reach; t++, d += channels) {
          sum += weights[t]! * (line[centre - d]! + line[centre + d]!);
        }
        across[y * row + i] = sum;
      }
    }
    for (let y = 0; y < height; y++) {
      for (let i = 0, at = y * row; i < row; i++) sums[i] = weights[0]! * across[at + i]!;
      for (let t = 1; t <= reach; t++) {
        const up = mirrored(y - t, height) * row;
        const down = mirrored(y + t, height) * row;
        const weight = weights[t]!;
        for (let i = 0; i < row; i++) sums[i]! += weight * (across[up + i]! + across[down + i]!);
      }
      image.set(sums, y * row);
    }
  };
}

const mirrored = (x: number, length: number): number => (x < 0 ? -x : x < length ? x : 2 * (length - 1) - x);
