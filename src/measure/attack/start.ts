import { tf } from '../../learn/device/tf.js';
import type { Limits } from './box.js';
import { distance } from './geometry.js';
import { ask } from './oracle.js';
import { schedule } from './schedule.js';
import type { Searched } from './search.js';

/**
 * Which of the noisy points starts the attack.
 *
 * - `paper`: of 100 points the adversarial one that is nearest to the sample (appendix D: "a fixed number", which it leaves open).
 * - `authors`: the first adversarial one, of 5000 at most.
 */
export type Protocol = 'paper' | 'authors';

/** Noisy points in one forward pass; all of them are evaluated, and counted. */
export const TRIES = 50;

export const triesOf = (protocol: Protocol): number =>
  protocol === 'paper' ? schedule.paperTries : schedule.authorsTries;

/**
 * Evaluates `TRIES` noisy points x + N(0, 0.5²), clipped to the box, of one sample, and leaves the one to start from in `best`.
 *
 * @param noise standard normal numbers [TRIES, d], shared by the group's samples
 * @param best the point found so far, at distance `nearest`; replaced where the protocol prefers a new one
 * @returns the distance of what is now in `best`; Infinity where nothing has been found
 */
export function tryNoise(
  group: Searched,
  slot: number,
  noise: tf.Tensor2D,
  protocol: Protocol,
  box: Limits,
  best: Float32Array,
  nearest: number,
): number {
  const d = best.length;
  const x = group.originals.subarray(slot * d, (slot + 1) * d);
  const noisy = tf.tidy(() => box.clip(tf.add(tf.mul(noise, schedule.startDeviation), tf.tensor1d(x))));
  const rows = noisy.dataSync() as Float32Array; // not inside: `tidy` looks at every number of what it returns
  noisy.dispose();
  const found = ask(group.model, group.weights, rows, TRIES);
  group.queries[slot]! += TRIES;
  for (let k = 0; k < TRIES; k++) {
    if (found[k] === -1) group.broken(slot);
    else if (found[k] !== group.predicted[slot]) {
      const point = rows.subarray(k * d, (k + 1) * d);
      const away = distance(x, point);
      if (away >= nearest) continue;
      best.set(point);
      nearest = away;
      if (protocol === 'authors') return nearest;
    }
  }
  return nearest;
}
