import { samplesInput } from '../../data/input.js';
import type { Stage } from '../../flow/core-stage.js';
import { WeirError } from '../../flow/errors.js';
import type { Update } from '../../learn/learn-update.js';
import type { Model } from '../../learn/model/model-model.js';
import { byName, inputLength, type LabeledSamples, writeInput } from '../measure-inputs.js';
import { checkCount } from '../options.js';
import { type Geometry, REST, type SurveyState, survey } from './geometry-survey.js';
import { productsOf } from './products.js';

export interface GeometryGridOptions {
  /** Least and largest first input. */
  readonly x?: readonly [min: number, max: number];
  readonly y?: readonly [min: number, max: number];
  /** Cells in each direction. */
  readonly resolution?: number;
  /** Samples to be drawn with it. */
  readonly points?: LabeledSamples;
  /** Cells in one pass. */
  readonly batch?: number;
}

/**
 * The metric g = ∇Φᵀ∇Φ (paper, remark 1), its volume element and the decision boundary over a grid of inputs of two values, for
 * the network of each update it is given (figures 3 and A.3). Exact: g is two by two, from two products with ∇Φ.
 *
 * The authors draw √det g divided by the width over 40 × 40 points of [−3.5, 3.5]²; here ½ log det g at the cells' middles.
 *
 * Bound: one batch on the device; the engine breathes after each. Order: that of the updates. State: the cells done so far.
 * Failure: a model that does not take two values, or has no Jacobian.
 *
 * @example updates$.pipe(atEnd(), geometryGrid(model, { points: train }))
 */
export function geometryGrid(
  model: Model,
  { x = [-3.5, 3.5], y = [-3.5, 3.5], resolution = 40, points: given, batch = 2000 }: GeometryGridOptions = {},
): Stage<Update, Geometry, SurveyState> {
  const name = 'geometry grid';
  checkTwo(name, model);
  checkCount(name, { resolution, batch }, { resolution: 400 });
  const points = given && byName(name, model, given);
  if (points !== undefined) inputLength(name, model, points);
  for (const [key, [min, max]] of Object.entries({ x, y })) {
    if (min < max) continue;
    throw new WeirError(`stage '${name}': ${key} is [${min}, ${max}]`, 'give the smaller bound first');
  }
  const frame = {
    ...{ origin: Float32Array.of(0, 0), a: Float32Array.of(1, 0), b: Float32Array.of(0, 1) },
    ...{ xMin: x[0], xMax: x[1], yMin: y[0], yMax: y[1], columns: resolution, rows: resolution },
  };
  const task = {
    ...{ model, frame, batch, steps: 0, kind: 'grid' as const },
    products: productsOf(name, model),
  };
  return {
    name,
    claims: 'weights',
    inputs: given === undefined ? [] : [samplesInput(given)],
    start: () => REST,
    ...(points && { introduce: points.introduce }),
    next: (state, update) => survey({ ...task, points: points === undefined ? [] : drawn(points) }, state, update),
  };
}

/** @throws {WeirError} for a model of another number of inputs than two */
export function checkTwo(stage: string, model: Model): void {
  const inputs = model.inputShape.reduce((product, extent) => product * extent, 1);
  if (inputs === 2) return;
  throw new WeirError(
    `stage '${stage}' works in two dimensions, but ${model.name} takes inputs of ${inputs} values`,
    'take a task in two dimensions such as XOR; for images there are geometryPlane and tangentAttack',
  );
}

function drawn(points: LabeledSamples): Geometry['points'] {
  const row = new Float32Array(2);
  return Array.from({ length: points.size }, (_, i) => {
    writeInput(points, i, row, 0);
    return { x: row[0]!, y: row[1]!, label: points.labels[i]! };
  });
}
