import { samplesInput } from '../../data/input.js';
import type { Stage } from '../../flow/core-stage.js';
import { WeirError } from '../../flow/errors.js';
import type { Update } from '../../learn/learn-update.js';
import type { Model } from '../../learn/model/model-model.js';
import { byName, inputLength, type LabeledSamples, type Normalization, writeInput } from '../measure-inputs.js';
import { checkCount } from '../options.js';
import { type Geometry, REST, type SurveyState, survey } from './geometry-survey.js';
import { onALine, planeThrough } from './plane.js';
import { productsOf } from './products.js';

export interface GeometryPlaneOptions {
  /** The three samples; by default the first sample of each of the first three classes that the data has. */
  readonly indices?: readonly [number, number, number];
  /** Cells in each direction. */
  readonly resolution?: number;
  /** How far the plane is shown beyond the three, as a part of how far they are spread. */
  readonly border?: number;
  readonly normalize?: Normalization;
  /** Cells in one pass. */
  readonly batch?: number;
  /** `plane`: the largest eigenvalue of g on the plane. `input`: of the whole g, by so many power iterations at each cell. */
  readonly topEigenvalue?: 'plane' | { readonly input: number };
}

/**
 * The metric g = ∇Φᵀ∇Φ (paper, remark 1) on the plane through three samples, its volume element there, and the decision boundary,
 * for the network of each update it is given. The volume element is that of g pulled back to the plane, two by two, by two products
 * with ∇Φ; the whole det g, of as many rows as the input has values, is another number (and 0 where there are fewer features).
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
): Stage<Update, Geometry, SurveyState> {
  const { resolution = 40, border = 0.25, normalize, batch = 64, topEigenvalue = 'plane' } = options;
  const name = 'geometry plane';
  const samples = byName(name, model, given);
  const length = inputLength(name, model, samples);
  const steps = topEigenvalue === 'plane' ? 0 : topEigenvalue.input;
  checkCount(name, { resolution, batch, ...(steps !== 0 && { topEigenvalue: steps }) }, { resolution: 400 });
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
  const { frame, places } = plane;
  const points = () => places.map(([x, y], i) => ({ x, y, label: samples.labels[indices[i]!]! }));
  const task = { model, frame, batch, steps, kind: 'plane' as const, products: productsOf(name, model) };
  return {
    name,
    claims: 'weights',
    inputs: [samplesInput(given)],
    start: () => REST,
    introduce: samples.introduce,
    next: (state, update) => survey({ ...task, points: points() }, state, update),
  };
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
