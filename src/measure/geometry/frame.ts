/** A rectangle of a plane in the space of inputs, divided into cells: the input at (x, y) is origin + x·a + y·b. */
export interface Frame {
  readonly origin: Float32Array;
  /** Directions of length 1, at a right angle. */
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly xMin: number;
  readonly xMax: number;
  readonly yMin: number;
  readonly yMax: number;
  readonly columns: number;
  readonly rows: number;
}

/** The inputs at the middles of `count` cells from cell `from` on, one behind another; cells go row by row, y rising. */
export function middles(frame: Frame, from: number, count: number): Float32Array {
  const { origin, a, b, xMin, xMax, yMin, yMax, columns, rows } = frame;
  const d = origin.length;
  const inputs = new Float32Array(count * d);
  for (let cell = 0; cell < count; cell++) {
    const x = xMin + (((from + cell) % columns) + 0.5) * ((xMax - xMin) / columns);
    const y = yMin + (Math.floor((from + cell) / columns) + 0.5) * ((yMax - yMin) / rows);
    for (let i = 0; i < d; i++) inputs[cell * d + i] = origin[i]! + x * a[i]! + y * b[i]!;
  }
  return inputs;
}
