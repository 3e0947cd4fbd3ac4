/** Ticks of a log axis: ones, twos and fives over two decades, ones and threes over three, powers of ten beyond. */
export function logTicks(values: readonly number[]): number[] {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value));
  if (positive.length === 0) return [];
  const [least, most] = positive.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [
    Infinity,
    0,
  ] as [number, number]);
  const [from, to] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))];
  const stride = Math.max(1, Math.ceil((to - from) / 6));
  const leading = [[], [1, 2, 5], [1, 2, 5], [1, 3]][to - from] ?? [1]; // d3 leaves fives unlabeled over three decades
  const ticks: number[] = [];
  for (let exponent = from; exponent <= to; exponent += stride) {
    for (const digit of leading) ticks.push(Number(`${digit}e${exponent}`)); // read, not multiplied: 0.3 stays 0.3
  }
  return ticks.filter((tick) => tick >= least * 0.999 && tick <= most * 1.001);
}

/** A tick as a plain number where that is short. */
export function plain(value: number): string {
  return value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5)
    ? value.toExponential(0).replace('e+', 'e')
    : String(value);
}
