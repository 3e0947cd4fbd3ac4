/**
 * Unpacks a block of Snappy (https://github.com/google/snappy/blob/main/format_description.txt).
 *
 * Each step reads a byte or more and stays inside of input and output, so damaged input ends in time. hyparquet's own decoder takes a
 * literal of a negative length, and runs back over the input.
 *
 * @param length bytes that must come out
 * @throws {Error} where the block is damaged; before memory is taken for it, where it states another length
 */
export function unpackSnappy(input: Uint8Array, length: number): Uint8Array {
  let from = 0;
  const damaged = (what: string): Error => new Error(`a block of Snappy is damaged at byte ${from}: ${what}`);
  const bytes = (many: number): number => {
    if (from + many > input.length) throw damaged(`it ends ${from + many - input.length} bytes too early`);
    let value = 0;
    for (let i = 0; i < many; i++) value += input[from++]! * 2 ** (8 * i);
    return value;
  };

  let stated = 0;
  for (let factor = 1, more = true; more; factor *= 128) {
    if (factor > 2 ** 28) throw damaged('its length has too many digits');
    const byte = bytes(1);
    stated += (byte & 127) * factor;
    more = byte > 127;
  }
  if (stated !== length) throw damaged(`it holds ${stated} bytes, where ${length} are expected`);

  const output = new Uint8Array(length);
  let to = 0;
  while (from < input.length) {
    const tag = bytes(1);
    const kind = tag & 3;
    const upper = tag >>> 2;
    if (kind === 0) {
      const size = 1 + (upper < 60 ? upper : bytes(upper - 59)); // a literal; long ones have their length in 1 to 4 bytes
      if (from + size > input.length) throw damaged(`a literal of ${size} bytes goes beyond its end`);
      if (to + size > length) throw damaged(`a literal of ${size} bytes goes beyond its output`);
      output.set(input.subarray(from, from + size), to);
      from += size;
      to += size;
      continue;
    }
    const size = kind === 1 ? 4 + (upper & 7) : 1 + upper;
    const back = kind === 1 ? (tag >>> 5) * 256 + bytes(1) : bytes(kind === 2 ? 2 : 4);
    if (back === 0 || back > to) throw damaged(`a copy of bytes ${back} before, of ${to}`);
    if (to + size > length) throw damaged(`a copy of ${size} bytes goes beyond its output`);
    for (const end = to + size; to < end; to++) output[to] = output[to - back]!; // one by one: the two may overlap
  }
  if (to !== length) throw damaged(`it gives ${to} of ${length} bytes`);
  return output;
}
