/** Beyond so many standard deviations a kernel's weights come to less than a quarter of a grey level in all. */
const REACH = 3.5;

/**
 * Gaussian blur by a kernel of `size` taps, normalised; beyond the edge the image is mirrored at its outermost pixel. In place. It is
 * `gaussian_blur` of torchvision v2, but for taps beyond 3.5 standard deviations.
 */
export function blurrer([height, width, channels]: readonly [number, number, number], size: number) {
  const row = width * channels;
  const radius = (size - 1) / 2;
  const line = new Float32Array((width + 2 * radius) * channels); // a row with what is mirrored on both sides
  const across = new Float32Array(height * row);
  const weights = new Float64Array(radius + 1);
  const before = new Int32Array(radius + 1); // where the two sources of each tap begin; of the centre both are one
  const behind = new Int32Array(radius + 1);

  /** out[i] = Σ_t weight_t · (from[before_t + i] + from[behind_t + i]), the centre once: of a row of values. */
  const smooth = (from: Float32Array, reach: number, out: Float32Array, to: number): void => {
    const whole = row - (row % 3);
    const centre = before[0]!;
    for (let i = 0; i < whole; i += 3) {
      // three values at once, so that weights and places are looked up once for all
      let a = weights[0]! * from[centre + i]!;
      let b = weights[0]! * from[centre + i + 1]!;
      let c = weights[0]! * from[centre + i + 2]!;
      for (let t = 1; t <= reach; t++) {
        const weight = weights[t]!;
        const left = before[t]! + i;
        const right = behind[t]! + i;
        a += weight * (from[left]! + from[right]!);
        b += weight * (from[left + 1]! + from[right + 1]!);
        c += weight * (from[left + 2]! + from[right + 2]!);
      }
      out[to + i] = a;
      out[to + i + 1] = b;
      out[to + i + 2] = c;
    }
    for (let i = whole; i < row; i++) {
      let sum = weights[0]! * from[centre + i]!;
      for (let t = 1; t <= reach; t++) sum += weights[t]! * (from[before[t]! + i]! + from[behind[t]! + i]!);
      out[to + i] = sum;
    }
  };

  return (image: Float32Array, sigma: number): void => {
    const reach = Math.min(radius, Math.ceil(REACH * sigma));
    gaussian(weights, reach, sigma);
    for (let t = 0; t <= reach; t++) {
      before[t] = (reach - t) * channels;
      behind[t] = (reach + t) * channels;
    }
    for (let y = 0; y < height; y++) {
      const from = y * row;
      for (let i = 0, to = reach * channels; i < row; i++) line[to + i] = image[from + i]!;
      for (let x = 1; x <= reach; x++) {
        for (let c = 0; c < channels; c++) {
          line[(reach - x) * channels + c] = image[from + mirrored(-x, width) * channels + c]!;
          line[(reach + width - 1 + x) * channels + c] = image[from + mirrored(width - 1 + x, width) * channels + c]!;
        }
      }
      smooth(line, reach, across, from);
    }
    for (let y = 0; y < height; y++) {
      for (let t = 0; t <= reach; t++) {
        before[t] = mirrored(y - t, height) * row;
        behind[t] = mirrored(y + t, height) * row;
      }
      smooth(across, reach, image, y * row);
    }
  };
}

/** Weights of the centre and of the taps on either side of it, which come to 1 together. */
function gaussian(weights: Float64Array, reach: number, sigma: number): void {
  let whole = 0;
  for (let t = 0; t <= reach; t++) {
    weights[t] = Math.exp(-0.5 * (t / sigma) ** 2);
    whole += t === 0 ? 1 : 2 * weights[t]!;
  }
  for (let t = 0; t <= reach; t++) weights[t]! /= whole;
}

const mirrored = (x: number, length: number): number => (x < 0 ? -x : x < length ? x : 2 * (length - 1) - x);
