import { WeirError } from '../../flow/errors.js';
import { scoped, tf } from '../../tensorflow/tf.js';
import {
  biasOf,
  type FeatureJacobian,
  type FeaturePull,
  type Gradients,
  type Linearization,
  type Model,
  type Weights,
  weight,
} from './model.js';

/** An operation that TensorFlow.js has recorded. */
interface TapeNode {
  readonly kernelName: string;
  readonly inputs: Readonly<Record<string, tf.Tensor>>;
  readonly outputs: readonly tf.Tensor[];
}

/** Operations that are constant between jumps: nothing of their inputs is in a derivative. */
const constant: ReadonlySet<string> = new Set(
  'Greater GreaterEqual Less LessEqual Equal NotEqual ArgMax ArgMin OneHot'.split(' '),
);

/**
 * Puts the operations recorded so far behind those whose results they read.
 *
 * TensorFlow.js keeps the output of tanh, sigmoid, exp and softmax for their gradients as a copy that it records before the
 * operation itself. Read in that order the copy depends on nothing, and second derivatives lose a term without an error.
 */
function orderTape(): void {
  const { activeTape: tape } = (tf.engine() as unknown as { state: { activeTape: TapeNode[] } }).state;
  const missing = new Set(tape.flatMap(({ outputs }) => outputs.map(({ id }) => id)));
  const waiting = new Map<number, TapeNode[]>();
  const ordered: TapeNode[] = [];
  const add = (node: TapeNode): void => {
    const needed = Object.values(node.inputs).find(({ id }) => missing.has(id));
    if (needed !== undefined) {
      waiting.set(needed.id, [...(waiting.get(needed.id) ?? []), node]);
      return;
    }
    ordered.push(constant.has(node.kernelName) ? { ...node, inputs: {} } : node);
    for (const { id } of node.outputs) missing.delete(id);
    for (const { id } of node.outputs) for (const next of waiting.get(id) ?? []) add(next);
  };
  for (const node of tape) add(node);
  tape.splice(0, tape.length, ...ordered);
}

/**
 * Gradients of y = f() with respect to tensors that it is computed from; zeros for those that it does not depend on. It may be
 * computed by `gradientsAt` itself.
 *
 * @throws {WeirError} for an operation that TensorFlow.js cannot differentiate, or not twice
 */
function gradientsAt(f: () => tf.Tensor, of: readonly tf.Tensor[], dy: tf.Tensor): tf.Tensor[] {
  const recorded = (): tf.Tensor => {
    const y = f();
    orderTape();
    return y;
  };
  try {
    const { grads } = tf.engine().gradients(recorded, [...of], dy as never, true);
    return of.map((tensor, i) => grads[i] ?? tf.zerosLike(tensor));
  } catch (cause) {
    const operation = /gradient function not found for (\w+)/.exec(String(cause))?.[1];
    if (operation === undefined) throw cause;
    throw new WeirError(
      `TensorFlow.js cannot differentiate its operation ${operation}, which the model or its gradient is made of`,
      'make that layer of other operations, or leave out what differentiates the Jacobian, such as feature-jacobian',
      { cause },
    );
  }
}

/**
 * What a function of the user's has returned, for differentiation.
 *
 * @param maker of the value, for the message
 * @throws {WeirError} unless it is a float32 scalar
 */
export function checkedScalar(maker: string, value: unknown, remedy: string): tf.Scalar {
  if (value instanceof tf.Tensor && value.rank === 0 && value.dtype === 'float32') return value as tf.Scalar;
  const found =
    value instanceof tf.Tensor
      ? `a tensor of shape [${value.shape.join(', ')}] and type ${value.dtype}`
      : value instanceof Promise
        ? 'a promise'
        : `no tensor: ${String(value)}`;
  throw new WeirError(`${maker} returned ${found}`, remedy);
}

/** The names of the weights that a gradient moves. */
export function trainedWeights({ statistics }: Model, weights: Weights): string[] {
  const fixed = new Set(statistics);
  return [...weights.keys()].filter((name) => !fixed.has(name));
}

/** Those of the feature map. */
const trainedFeatures = (model: Model, weights: Weights): string[] =>
  trainedWeights(model, weights).filter((name) => !name.startsWith(`${model.readout.name}/`));

/**
 * ∇Φ at the samples of a batch by TensorFlow.js's automatic differentiation, for a model that has no Jacobian by hand:
 * a product from the left is a gradient, one from the right is the gradient of such a gradient, which is linear in the cotangent.
 */
function linearization(model: Model, weights: Weights, given: tf.Tensor): Linearization {
  const x = tf.clone(given);
  const n = x.shape[0]!;
  const rows = (t: tf.Tensor): tf.Tensor2D => tf.reshape(t, [n, -1]);
  const shaped = (p: tf.Tensor2D): tf.Tensor => tf.reshape(p, x.shape);
  const back = (at: Weights, q: tf.Tensor): tf.Tensor => gradientsAt(() => model.features(at, x), [x], q)[0]!;
  let features: tf.Tensor2D | undefined;
  const forward = (p: tf.Tensor2D): tf.Tensor2D => {
    features ??= tf.keep(model.features(weights, x));
    const q = tf.zerosLike(features);
    return gradientsAt(() => back(weights, q), [q], shaped(p))[0] as tf.Tensor2D;
  };

  return {
    forward: (p) => tf.tidy(() => forward(p)),
    backward: (q) => tf.tidy(() => rows(back(weights, q))),
    gradients(p, q) {
      const names = trainedFeatures(model, weights);
      const found = tf.tidy(() => {
        const tensors = names.map((name) => weights.get(name)!);
        return gradientsAt(() => back(weights, q), tensors, shaped(p));
      });
      return new Map(names.map((name, i) => [name, found[i]!]));
    },
    dispose: () => tf.dispose(features === undefined ? [x] : [x, features]),
  };
}

/**
 * The model's linearization of Φ at a batch: by hand where it has one, by automatic differentiation where it is made for that.
 * Undefined for a model with a backward pass by hand and no such linearization: its operations may be unknown to TensorFlow.js.
 */
export function linearizationOf(model: Model): FeatureJacobian['at'] {
  const { jacobian, pullback } = model;
  if (jacobian?.at !== undefined) return jacobian.at;
  if (jacobian !== undefined || pullback !== undefined) return undefined;
  return (weights, x) => linearization(model, weights, x);
}

/**
 * Features with a product of ∇Φ by one forward and one backward pass: by hand where the model has one, by automatic differentiation
 * where it is made for that; undefined as above.
 */
export function featurePullOf(model: Model): FeaturePull | undefined {
  const { jacobian, pullback } = model;
  if (jacobian?.pull !== undefined) return (weights, x, cotangent) => jacobian.pull!(weights, x, cotangent);
  if (jacobian !== undefined || pullback !== undefined) return undefined;
  return (weights, x, cotangent) =>
    tf.tidy(() => {
      let features: tf.Tensor2D | undefined;
      /** The number of which q is the gradient with respect to the features, whatever q depends on. */
      const paired = tf.customGrad((given, save) => {
        features = tf.keep(tf.clone(given as tf.Tensor2D));
        (save as tf.GradSaveFunc)([cotangent(features, 0)]);
        return { value: tf.scalar(0), gradFunc: (_: tf.Tensor, [q]: tf.Tensor[]) => q! };
      });
      const [product] = gradientsAt(() => paired(model.features(weights, x)), [x], tf.scalar(1));
      const made = tf.clone(features!);
      features!.dispose();
      return [made, tf.reshape(product!, [made.shape[0], -1])];
    }) as ReturnType<FeaturePull>;
}

/** Features and logits in training mode, with the running statistics after it, for automatic differentiation. */
export interface TrainingOutputs {
  features(): tf.Tensor2D;
  readonly logits: tf.Tensor2D;
  readonly statistics?: Weights;
}

/** The outputs of a model in training mode; where it has no such mode, those of evaluation. */
export function trainingOutputs(model: Model, weights: Weights, x: tf.Tensor): TrainingOutputs {
  if (model.training === undefined) {
    return { features: () => model.features(weights, x), logits: model.logits(weights, x) };
  }
  const { features, statistics } = model.training(weights, x);
  const { kernel, factor = 1 } = model.readout;
  const bias = weights.get(biasOf(model.readout));
  const product: tf.Tensor2D = tf.matMul(features, weight<tf.Tensor2D>(weights, kernel));
  const logits = tf.mul(bias === undefined ? product : tf.add(product, bias), factor) as tf.Tensor2D;
  return { features: () => features, logits, ...(statistics && { statistics }) };
}

/** Outputs of a forward pass that a backward pass begins at. */
interface Pass {
  readonly outputs: readonly tf.Tensor2D[];
  readonly statistics?: Weights;
}

/**
 * A forward pass with its backward pass by automatic differentiation, which computes the forward pass once more: TensorFlow.js keeps
 * no intermediate results from one call to the next.
 *
 * @param names of the weights that gradients are asked for
 */
function pass(
  names: readonly string[],
  weights: Weights,
  given: tf.Tensor,
  run: (weights: Weights, x: tf.Tensor) => Pass,
) {
  const x = tf.clone(given);
  // running statistics may be gone when the backward pass comes
  const fixed = [...weights].filter(([name]) => !names.includes(name)).map(([name, t]) => [name, tf.clone(t)] as const);
  const at = new Map([...weights, ...fixed]);
  const { outputs, statistics } = scoped(() => {
    const made = run(at, x);
    for (const tensor of [...made.outputs, ...(made.statistics?.values() ?? [])]) tf.keep(tensor);
    return made;
  });
  return {
    outputs,
    ...(statistics && { statistics }),
    /** @param cotangents of the outputs, in their order; undefined for those that no loss reads */
    gradients(cotangents: readonly (tf.Tensor2D | undefined)[]): Gradients {
      const tensors = names.map((name) => at.get(name)!);
      const paired = (): tf.Tensor => {
        const { outputs } = run(at, x);
        const terms = outputs.flatMap((output, i) => (cotangents[i] ? [tf.sum(tf.mul(output, cotangents[i]))] : []));
        return tf.addN(terms);
      };
      const found = tf.tidy(() => gradientsAt(paired, tensors, tf.scalar(1)));
      tf.dispose([x, ...outputs, ...fixed.map(([, tensor]) => tensor)]);
      return new Map(names.map((name, i) => [name, found[i]!]));
    },
  };
}

/** The model's pullback by hand, or one by automatic differentiation. */
export function pullbackOf(model: Model): NonNullable<Model['pullback']> {
  if (model.pullback !== undefined) return (weights, x) => model.pullback!(weights, x);
  return (weights, x) => {
    const { outputs, gradients, ...rest } = pass(trainedWeights(model, weights), weights, x, (weights, x) => {
      const { features, logits, ...statistics } = trainingOutputs(model, weights, x);
      return { outputs: [features(), logits], ...statistics };
    });
    const [features, logits] = outputs as [tf.Tensor2D, tf.Tensor2D];
    return { features, logits, ...rest, gradients: (ofLogits, ofFeatures) => gradients([ofFeatures, ofLogits]) };
  };
}

/**
 * The same of the feature map alone; its weights need no readout. Undefined for a model whose backward pass by hand has no such part.
 */
export function featurePullbackOf(model: Model): Model['featurePullback'] {
  if (model.featurePullback !== undefined || model.pullback !== undefined) return model.featurePullback;
  return (weights, x) => {
    const { outputs, gradients, ...rest } = pass(trainedFeatures(model, weights), weights, x, (weights, x) => {
      const { features, ...statistics } = model.training?.(weights, x) ?? { features: model.features(weights, x) };
      return { outputs: [features], ...statistics };
    });
    return { features: outputs[0]!, ...rest, gradients: (ofFeatures) => gradients([ofFeatures]) };
  };
}
