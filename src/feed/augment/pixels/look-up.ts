/** Every byte through a table of 256. */
export function lookUp(values: Uint8Array, length: number, table: Uint8Array): void {
  for (let i = 0; i < length; i++) values[i] = table[values[i]!]!;
}
