import { WeirError } from '../../flow/errors.js';
import type { Frame } from './frame.js';

/** A square of the plane through three inputs, and where the three lie in it. */
export interface Plane {
  readonly frame: Frame;
  readonly places: readonly (readonly [x: number, y: number])[];
}

/**
 * The plane through three inputs: the first is (0, 0), the second lies on the x axis, the third above it (Gram and Schmidt). The
 * square around the three is wider than they are spread by `border` of that on every side.
 *
 * @returns undefined where the three lie on a line
 */
export function planeThrough(
  [p, q, r]: readonly [Float32Array, Float32Array, Float32Array],
  resolution: number,
  border: number,
): Plane | undefined {
  const toQ = Float64Array.from(q, (value, i) => value - p[i]!);
  const toR = Float64Array.from(r, (value, i) => value - p[i]!);
  const x1 = Math.sqrt(dot(toQ, toQ));
  const a = toQ.map((value) => value / x1);
  const x2 = dot(toR, a);
  const up = toR.map((value, i) => value - x2 * a[i]!);
  const y2 = Math.sqrt(dot(up, up));
  if (!(y2 > 1e-5 * Math.sqrt(dot(toR, toR)))) return undefined;
  const [left, right] = [Math.min(0, x2), Math.max(x1, x2)];
  const side = Math.max(right - left, y2) * (1 + 2 * border);
  const [x, y] = [(left + right) / 2, y2 / 2];
  return {
    frame: {
      ...{ origin: p, a: Float32Array.from(a), b: Float32Array.from(up, (value) => value / y2) },
      ...{ xMin: x - side / 2, xMax: x + side / 2, yMin: y - side / 2, yMax: y + side / 2 },
      ...{ columns: resolution, rows: resolution },
    },
    places: [
      [0, 0],
      [x1, 0],
      [x2, y2],
    ],
  };
}

/** @throws {WeirError} that names the samples, for three on a line */
export function onALine(stage: string, indices: readonly number[]): WeirError {
  return new WeirError(
    `stage '${stage}': the samples ${indices.join(', ')} lie on a line, so no plane is theirs`,
    'name three others in `indices`',
  );
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
