import { median } from '../compare.js';

/** What a quantity did over a long run. */
export interface Course {
  /** What it rose over the second half by its slope (Theil-Sen), and the spread about that slope. */
  readonly risen: number;
  readonly noise: number;
  readonly flat: boolean;
}

/** Whether values that were read at equal steps stay where they are: no slope beyond their noise, or beyond `least`. */
export function courseOf(values: readonly number[], least = 0): Course {
  const half = values.slice(values.length >> 1);
  const slope = median(half.flatMap((y, i) => half.slice(i + 1).map((z, j) => (z - y) / (j + 1))));
  const away = half.map((y, i) => y - half[0]! - slope * i);
  const noise = Math.max(...away) - Math.min(...away);
  const risen = slope * half.length;
  return { risen, noise, flat: risen <= Math.max(noise, least) };
}
