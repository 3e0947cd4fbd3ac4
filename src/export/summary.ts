import { bytes, double, doubles, type Fields, float, joined, text, whole } from '../storage/protobuf.js';

/** Values of a summary (tensorboard/compat/proto/summary.proto), each under its tag. */
export const scalar = (tag: string, value: number): Fields => joined(text(1, tag), float(2, value));

/** A picture that is a PNG already. */
export const image = (tag: string, width: number, height: number, png: Uint8Array): Fields =>
  joined(text(1, tag), bytes(4, whole(1, height), whole(2, width), whole(3, 3), bytes(4, png)));

/** How often values lie in each of `buckets` ranges of one width, from the least to the greatest. */
export function histogram(tag: string, values: readonly number[], buckets = 30): Fields {
  const sorted = Float64Array.from(values).sort();
  const [least, greatest] = [sorted[0]!, sorted.at(-1)!];
  const width = (greatest - least) / buckets;
  const limits = width > 0 ? Array.from({ length: buckets }, (_, i) => least + width * (i + 1)) : [greatest];
  limits[limits.length - 1] = greatest; // rounding must leave none outside
  const counts = limits.map(() => 0);
  let bucket = 0;
  for (const value of sorted) {
    while (value > limits[bucket]!) bucket++;
    counts[bucket]!++;
  }
  const sum = sorted.reduce((total, value) => total + value, 0);
  const squares = sorted.reduce((total, value) => total + value * value, 0);
  return joined(
    text(1, tag),
    bytes(
      5,
      ...[double(1, least), double(2, greatest), double(3, sorted.length), double(4, sum), double(5, squares)],
      ...[doubles(6, limits), doubles(7, counts)],
    ),
  );
}
