import { samplesInput } from '../../data/fingerprint.js';
import { type Positioned, sizeOf } from '../../flow/data.js';
import { WeirError } from '../../flow/errors.js';
import { checkCounts, checkOptions } from '../../flow/options.js';
import { type StageOperator, stage } from '../../flow/stage.js';
import type { Model } from '../../learn/model/model.js';
import type { Update } from '../../learn/update.js';
import { byName, inputLength, type LabeledSamples, type Normalization, writeInput } from '../inputs.js';
import { productsOf } from './jacobian.js';
import { type Geometry, geometryRecord } from './record.js';
import { type PlaneFrame, REST, type SurveyState, survey } from './survey.js';

/** A square of the plane through three inputs, and where the three lie in it. */
export interface Plane {
  readonly frame: PlaneFrame;
  readonly coordinates: readonly (readonly [x: number, y: number])[];
}

/**
 * The plane through three inputs: the first is (0, 0), the second lies on the x axis, the third above it (Gram and Schmidt). The square
 * around the three is larger than their extent, by the part `border` of it on every side.
 *
 * @returns undefined where the three lie on a line
 */
function planeThrough(
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
      origin: p,
      a: Float32Array.from(a),
      b: Float32Array.from(up, (value) => value / y2),
      xMin: x - side / 2,
      xMax: x + side / 2,
      yMin: y - side / 2,
      yMax: y + side / 2,
      columns: resolution,
      rows: resolution,
    },
    coordinates: [
      [0, 0],
      [x1, 0],
      [x2, y2],
    ],
  };
}

/** @throws {WeirError} that names the samples, for three on a line */
function onALine(stage: string, indices: readonly number[]): WeirError {
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
 * The metric g = ∇Φᵀ∇Φ (paper, remark 1), its volume element and the decision boundary, over a grid of inputs of two values (figures 3 and
 * A.3). The network is that of each update. The values are exact: g is two by two, from two products with ∇Φ.
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
  options: GeometryGridOptions = {},
): StageOperator<Update, Geometry & Positioned, SurveyState> {
  const {
    x = [-3.5, 3.5],
    y = [-3.5, 3.5],
    resolution = 40,
    points: given,
    batch = 2000,
  } = checkOptions('geometryGrid', options, {
    x: 'optional',
    y: 'optional',
    resolution: 'optional',
    points: 'optional',
    batch: 'optional',
  });
  const name = 'geometry grid';
  checkTwo(name, model);
  checkCounts(`stage '${name}'`, { resolution, batch }, { resolution: 400 });
  const points = given && byName(name, model, given);
  if (points !== undefined) inputLength(name, model, points);
  for (const [key, [min, max]] of Object.entries({ x, y })) {
    if (min < max) continue;
    throw new WeirError(`stage '${name}': ${key} is [${min}, ${max}]`, 'give the smaller bound first');
  }
  const frame = {
    origin: Float32Array.of(0, 0),
    a: Float32Array.of(1, 0),
    b: Float32Array.of(0, 1),
    xMin: x[0],
    xMax: x[1],
    yMin: y[0],
    yMax: y[1],
    columns: resolution,
    rows: resolution,
  };
  const task = {
    model,
    frame,
    batch,
    steps: 0,
    kind: 'grid' as const,
    products: productsOf(name, model),
    standardized: points?.normalization !== undefined,
  };
  return stage({
    name,
    record: geometryRecord,
    claims: 'weights',
    inputs: given === undefined ? [] : [samplesInput(given)],
    start: () => REST,
    ...(points && { introduce: points.introduce }),
    next: (state, update) => survey({ ...task, points: points === undefined ? [] : drawn(points) }, state, update),
  });
}

/** @throws {WeirError} for a model of another number of inputs than two */
export function checkTwo(stage: string, model: Model): void {
  const inputs = sizeOf(model.inputShape);
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

export interface GeometryPlaneOptions {
  /** The three samples; by default the first sample of each of the first three classes that the data has. */
  readonly indices?: readonly [number, number, number];
  /** Cells in each direction. */
  readonly resolution?: number;
  /** How far the plane is shown beyond the three samples, as a part of their extent. */
  readonly border?: number;
  readonly normalize?: Normalization;
  /** Cells in one pass. */
  readonly batch?: number;
  /** `plane`: the largest eigenvalue of g on the plane. `input`: of the whole g, by so many power iterations at each cell. */
  readonly topEigenvalue?: 'plane' | { readonly input: number };
}

/**
 * The metric g = ∇Φᵀ∇Φ (paper, remark 1) on the plane through three samples, its volume element there, and the decision boundary, for the
 * network of each update. The volume element is that of g pulled back to the plane: two by two, from two products with ∇Φ. The determinant
 * of the whole g is another number, and 0 where there are fewer features than inputs.
 *
 * Bound: one batch on the device; the engine breathes after each. Order: that of the updates. State: the cells done so far.
 * Failure: samples that the model does not take, three on a line, a model without a Jacobian.
 *
 * @example updates$.pipe(atEnd(), geometryPlane(model, test, { indices: [4, 17, 25] }))
 */
export function geometryPlane(
  model: Model,
  given: LabeledSamples,
  options: GeometryPlaneOptions = {},
): StageOperator<Update, Geometry & Positioned, SurveyState> {
  checkOptions('geometryPlane', options, {
    indices: 'optional',
    resolution: 'optional',
    border: 'optional',
    normalize: 'optional',
    batch: 'optional',
    topEigenvalue: 'optional',
  });
  const { resolution = 40, border = 0.25, normalize, batch = 64, topEigenvalue = 'plane' } = options;
  const name = 'geometry plane';
  const samples = byName(name, model, given);
  const length = inputLength(name, model, samples);
  const steps = topEigenvalue === 'plane' ? 0 : topEigenvalue.input;
  checkCounts(
    `stage '${name}'`,
    { resolution, batch, ...(steps !== 0 && { topEigenvalue: steps }) },
    { resolution: 400 },
  );
  const indices = options.indices ?? firstOfThree(name, given);
  const [p, q, r] = indices.map((index) => {
    if (!Number.isInteger(index) || index < 0 || index >= samples.size) {
      throw new WeirError(
        `stage '${name}': there is no sample ${index} in '${samples.name}'`,
        `name three samples from 0 to ${samples.size - 1}`,
      );
    }
    const row = new Float32Array(length);
    writeInput(samples, index, row, 0, normalize);
    return row;
  });
  const plane = planeThrough([p!, q!, r!], resolution, border);
  if (plane === undefined) throw onALine(name, indices);
  const { frame, coordinates } = plane;
  const points = () => coordinates.map(([x, y], i) => ({ x, y, label: samples.labels[indices[i]!]! }));
  const task = {
    model,
    frame,
    batch,
    steps,
    kind: 'plane' as const,
    products: productsOf(name, model),
    standardized: samples.normalization !== undefined,
  };
  return stage({
    name,
    record: geometryRecord,
    claims: 'weights',
    inputs: [samplesInput(given)],
    start: () => REST,
    introduce: samples.introduce,
    next: (state, update) => survey({ ...task, points: points() }, state, update),
  });
}

/** The first sample of each of the three lowest classes; the first others where there are fewer classes. */
function firstOfThree(stage: string, { name, labels, size }: LabeledSamples): readonly number[] {
  const firsts = [...new Set(labels)].sort((a, b) => a - b).map((label) => labels.indexOf(label));
  const others = [...labels.keys()].filter((index) => !firsts.includes(index));
  const three = [...firsts.slice(0, 3), ...others].slice(0, 3);
  if (three.length === 3) return three;
  throw new WeirError(
    `stage '${stage}': '${name}' has ${size} samples, and a plane goes through three`,
    'give data of three samples or more',
  );
}
