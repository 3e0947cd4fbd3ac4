import { bytesByModule, floatsByModule } from './simd-look-up.js';

/** Every byte through a table of 256. */
export function lookUp(values: Uint8Array, length: number, table: Uint8Array): void {
  if (bytesByModule(values, length, table)) return;
  for (let i = 0; i < length; i++) values[i] = table[values[i]!]!;
}

/** Every byte through the table of its channel, [channels, 256], to floats. */
export function lookUpFloats(values: Uint8Array, length: number, table: Float32Array, out: Float32Array): void {
  if (floatsByModule(values, length, table, out)) return;
  for (let i = 0, c = 0; i < length; i++) {
    out[i] = table[c + values[i]!]!;
    c = (c + 256) % table.length;
  }
}
