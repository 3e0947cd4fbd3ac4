import type { tf } from '../../tensorflow/tf.js';
import type { Initialization, Layer, Part } from './model.js';
import type { Operation } from './operations.js';

/** A weight of a layer before it has values. */
export interface WeightPlan {
  /** Among the weights of its layer: 'kernel', 'bias', …. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Its first values; a number fills it. */
  readonly start: Initialization | number;
  /** Inputs of each of its outputs, for the initialization. */
  readonly fanIn?: number;
  /** A running statistic: no gradient moves it. */
  readonly statistic?: boolean;
}

/** What a layer computes with. */
export interface LayerRun {
  /** A weight of this layer by its name. */
  weight<T extends tf.Tensor = tf.Tensor>(name: string): T;
  /** Undefined in evaluation; in training it takes a running statistic after this batch, by its name. */
  readonly update?: (name: string, value: tf.Tensor) => void;
}

/** A layer for inputs of a known shape. */
export interface PlannedLayer {
  /** Shape of the output for one sample. */
  readonly outputShape: readonly number[];
  readonly weights?: readonly WeightPlan[];
  /** Of layers inside this one, whose weights are then under these names. */
  readonly inside?: readonly NamedLayer[];
  /** x of [n, ...inputShape] to [n, ...outputShape], by operations that TensorFlow.js differentiates. Runs in `tf.tidy`. */
  apply(x: tf.Tensor, run: LayerRun): tf.Tensor;
  /** The linear maps in it that have a spectral norm. */
  readonly linear?: readonly Layer[];
  /** For a bound on the Lipschitz constant; undefined where none is known. */
  readonly parts?: readonly Part[];
  /** Its steps in evaluation, with the names of its weights in the model; undefined for a layer of the user's own. */
  readonly operations?: readonly Operation[];
  /** The names of a batch normalization's scale and variance, which are folded into the convolution before it. */
  readonly normalization?: { readonly scale: string; readonly variance: string; readonly epsilon: number };
}

/** A planned layer with its name in the model. */
export interface NamedLayer extends PlannedLayer {
  readonly name: string;
}

/** A layer of a model as a value: what it is, and its plan for inputs of a shape. */
export interface ModelLayer {
  /** Layers of a kind are counted: conv1, conv2, …. */
  readonly kind: string;
  /** All that changes its outputs and is in no weight, for comparison with stored networks: 'conv 16 3×3 circular'. */
  readonly description: string;
  /** @param name of the layer in its model @throws {WeirError} for inputs that it does not take */
  plan(inputShape: readonly number[], name: string): PlannedLayer;
}

/**
 * Layers one behind another, with their names: those of a kind are counted. A batch normalization behind a convolution is told to
 * that, whose σ may have it folded in.
 *
 * @param prefix of the names
 */
export function planned(layers: readonly ModelLayer[], inputShape: readonly number[], prefix = ''): NamedLayer[] {
  const counts = new Map<string, number>();
  const plans: NamedLayer[] = [];
  let shape = inputShape;
  for (const layer of layers) {
    const count = (counts.get(layer.kind) ?? 0) + 1;
    counts.set(layer.kind, count);
    const name = `${prefix}${layer.kind}${count}`;
    const plan = layer.plan(shape, name);
    shape = plan.outputShape;
    const before = plans.at(-1);
    const { normalization } = plan;
    const conv = before?.linear?.[0];
    if (normalization !== undefined && before?.parts?.length === 1 && conv?.kind === 'conv') {
      const folded = [{ ...conv, normalization }];
      plans[plans.length - 1] = { ...before, linear: folded, parts: folded };
      plans.push({ ...plan, name, parts: [] });
    } else plans.push({ ...plan, name });
  }
  return plans;
}

/** x through the layers. @param prefix of their names, which those of their weights in `run` lack */
export function throughLayers(layers: readonly NamedLayer[], x: tf.Tensor, run: LayerRun, prefix = ''): tf.Tensor {
  return layers.reduce((x, { name, apply }) => {
    const own = name.slice(prefix.length);
    const { weight, update } = run;
    return apply(x, {
      weight: (part) => weight(`${own}/${part}`),
      ...(update && { update: (part: string, value: tf.Tensor) => update(`${own}/${part}`, value) }),
    });
  }, x);
}

/** Their parts for a bound on the Lipschitz constant; undefined where one of them has no bound. */
export const partsOf = (layers: readonly NamedLayer[]): Part[] | undefined =>
  layers.every(({ parts }) => parts !== undefined) ? layers.flatMap(({ parts }) => parts!) : undefined;

/** Their steps in evaluation; undefined where one of them has no such form. */
export const operationsOf = (layers: readonly NamedLayer[]): Operation[] | undefined =>
  layers.every(({ operations }) => operations !== undefined)
    ? layers.flatMap(({ operations }) => operations!)
    : undefined;
