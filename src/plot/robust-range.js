const FEW = 20; // values, of which none is an outlier
const FLAT = 0.5; // of the whole axis: where the values without outliers take more of it, nothing is flattened

/** See `robust-range.d.ts`. The monitor's page loads this file as it is, so it is JavaScript. */
export function robustRange(all, scale) {
  const log = scale === 'log';
  const values = all
    .filter((value) => Number.isFinite(value) && (!log || value > 0))
    .map((value) => (log ? Math.log(value) : value))
    .sort((a, b) => a - b);
  if (values.length < FEW) return null;
  const [least, most] = [values[0], values.at(-1)];
  const [low, high] = [0.02, 0.98].map((share) => values[Math.round(share * (values.length - 1))]);
  if (!(high > low)) return null;
  const air = log ? Math.log(1.3) : 0.15 * (high - low);
  const range = [Math.max(least, low - air), Math.min(most, high + air)];
  if (range[1] - range[0] > FLAT * (most - least)) return null;
  return log ? range.map(Math.exp) : range;
}
