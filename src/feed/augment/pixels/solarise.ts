/** Inverts every byte from a threshold on: 255 − x. */
export function solarisePixels(values: Uint8Array, length: number, threshold: number): void {
  for (let i = 0; i < length; i++) {
    const x = values[i]!;
    values[i] = x >= threshold ? 255 - x : x;
  }
}
