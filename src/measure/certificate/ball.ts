import type { Random } from '../../flow/seed.js';
import type { Norm } from '../../learn/model/part.js';

/**
 * The center, and points drawn evenly from the ball B_p(center, radius) around it, one behind another.
 *
 * p = 2: a normal direction, its length R·u^(1/d). p = 1: exponential numbers of either sign, divided by their sum and one more.
 * p = ∞: even numbers from −R to R.
 *
 * @param count points, the center included
 */
export function pointsInBall(
  center: Float32Array,
  radius: number,
  norm: Norm,
  count: number,
  random: Random,
): Float32Array {
  const d = center.length;
  const points = new Float32Array(count * d);
  points.set(center);
  const draw = { l1: octahedron, l2: ball, linf: cube }[norm];
  for (let point = 1; point < count; point++) {
    const away = draw(d, random);
    for (let i = 0; i < d; i++) points[point * d + i] = center[i]! + radius * away[i]!;
  }
  return points;
}

function ball(d: number, random: Random): Float64Array {
  const direction = Float64Array.from({ length: d }, () => random.normal());
  const length = Math.sqrt(direction.reduce((sum, value) => sum + value * value, 0));
  const radius = random.uniform() ** (1 / d);
  return direction.map((value) => (value * radius) / length);
}

function octahedron(d: number, random: Random): Float64Array {
  const exponential = (): number => -Math.log(1 - random.uniform());
  const sizes = Float64Array.from({ length: d }, exponential);
  const sum = sizes.reduce((sum, size) => sum + size, exponential());
  return sizes.map((size) => (random.uniform() < 0.5 ? -size : size) / sum);
}

const cube = (d: number, random: Random): Float64Array =>
  Float64Array.from({ length: d }, () => 2 * random.uniform() - 1);
