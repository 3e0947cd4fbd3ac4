import type { Positioned } from '../../flow/data.js';
import type { Step } from '../../flow/stage.js';
import type { Model, Weights } from '../../learn/model/model.js';
import { firstDirection } from '../../learn/spectral/power.js';
import type { Update } from '../../learn/update.js';
import { tf } from '../../tensorflow/tf.js';
import { jacobianNorms, logVolume, type Products, planeMetric, topEigenvalue } from './jacobian.js';
import type { Geometry } from './record.js';

/** A rectangle of a plane in the space of inputs, divided into cells: the input at (x, y) is origin + x·a + y·b. */
export interface PlaneFrame extends Pick<Geometry, 'xMin' | 'xMax' | 'yMin' | 'yMax' | 'columns' | 'rows'> {
  readonly origin: Float32Array;
  /** Directions of length 1, at a right angle. */
  readonly a: Float32Array;
  readonly b: Float32Array;
}

/** The inputs at the middles of `count` cells from cell `from` on, one behind another; cells go row by row, y rising. */
export function middles(frame: PlaneFrame, from: number, count: number): Float32Array {
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

/** The state of a survey: the number of cells that are done, and their results. */
export type SurveyState = { readonly done: number } & Pick<
  Geometry,
  'classes' | 'margin' | 'logVolume' | 'topEigenvalue'
>;

const nothing = new Float32Array(0);
export const REST: SurveyState = {
  done: 0,
  classes: nothing,
  margin: nothing,
  logVolume: nothing,
  topEigenvalue: nothing,
};

export interface Survey {
  readonly model: Model;
  readonly products: (weights: Weights, x: tf.Tensor) => Products;
  readonly frame: PlaneFrame;
  readonly kind: Geometry['kind'];
  readonly points: Geometry['points'];
  readonly standardized: boolean;
  /** Cells in one pass. */
  readonly batch: number;
  /** Power iterations for the largest eigenvalue of the whole g; 0 for that of the plane's. */
  readonly steps: number;
}

/** All cells of a frame, a batch a step; the last step carries the geometry. */
export function* survey(
  task: Survey,
  from: SurveyState,
  update: Update,
): Generator<Step<SurveyState, Geometry & Positioned>> {
  const { frame, kind, points, batch, standardized } = task;
  const { xMin, xMax, yMin, yMax, columns, rows } = frame;
  const cells = columns * rows;
  let state = from;
  while (state.done < cells) {
    const count = Math.min(batch, cells - state.done);
    const found = surveyed(task, update.weights, state.done, count);
    state = {
      done: state.done + count,
      classes: joined(state.classes, found.classes),
      margin: joined(state.margin, found.margin),
      logVolume: joined(state.logVolume, found.logVolume),
      topEigenvalue: joined(state.topEigenvalue, found.topEigenvalue),
    };
    if (state.done < cells) yield [state];
  }
  const { done: _, ...found } = state;
  const { position, number, epoch } = update;
  const extent = { xMin, xMax, yMin, yMax, columns, rows };
  yield [REST, { position, number, epoch, kind, ...(standardized && { standardized }), ...extent, points, ...found }];
}

function surveyed(task: Survey, weights: Weights, from: number, count: number): Omit<SurveyState, 'done'> {
  const { model, frame } = task;
  const x = tf.tensor(middles(frame, from, count), [count, ...model.inputShape]);
  const logits = model.logits(weights, x);
  const values = logits.dataSync<'float32'>();
  const products = task.products(weights, x);
  const metric = planeMetric(products, count, frame.a, frame.b);
  const top = task.steps > 0 ? wholeTop(products, count, frame.a.length, task.steps) : undefined;
  products.dispose();
  tf.dispose([x, logits]);
  const each = (of: (cell: number) => number): Float32Array => Float32Array.from({ length: count }, (_, i) => of(i));
  const verdicts = Array.from({ length: count }, (_, i) =>
    verdict(values.subarray(i * model.classes, (i + 1) * model.classes)),
  );
  return {
    classes: each((i) => verdicts[i]!.top),
    margin: each((i) => verdicts[i]!.margin),
    logVolume: each((i) => logVolume(metric, i)),
    topEigenvalue: top ?? each((i) => topEigenvalue(metric, i)),
  };
}

/** λ_max of the whole g, searched from one direction on at all points. */
function wholeTop(products: Products, count: number, inputs: number, steps: number): Float32Array {
  const start = tf.tidy(() => tf.tile(tf.tensor2d(firstDirection(0, 0, inputs), [1, inputs]), [count, 1]));
  const norms = jacobianNorms(products, start, 'l2', { steps });
  start.dispose();
  return norms.map((norm) => norm * norm);
}

/** The class of one row of logits, ties to the lower one, and by how much. */
function verdict(logits: Float32Array): { readonly top: number; readonly margin: number } {
  if (logits.some(Number.isNaN)) return { top: -1, margin: Number.NaN };
  const top = logits.indexOf(Math.max(...logits));
  if (logits.length === 2) return { top, margin: logits[1]! - logits[0]! };
  const rest = logits.filter((_, k) => k !== top);
  return { top, margin: rest.length === 0 ? Number.POSITIVE_INFINITY : logits[top]! - Math.max(...rest) };
}

function joined(before: Float32Array, more: Float32Array): Float32Array {
  const all = new Float32Array(before.length + more.length);
  all.set(before);
  all.set(more, before.length);
  return all;
}
