import { WeirError } from '../../flow/errors.js';
import { checkOptions } from '../../flow/options.js';
import { tf } from '../../tensorflow/tf.js';
import { type Activation, type ActivationName, activationNamed } from './activation.js';
import { featurePullbackOf } from './autodiff.js';
import {
  biasOf,
  type FeaturePullback,
  type Gradients,
  type Initialization,
  initialized,
  type Model,
  type Pullback,
  uniform,
  type Weights,
  weight,
} from './model.js';
import type { Operation } from './operations.js';

/** A dense layer of a head, by the names of its weights; without a bias where none is named. */
export interface HeadLayer {
  readonly kernel: string;
  readonly bias?: string;
}

/** Dense layers one behind another on the features, φ between them and nothing behind the last: a readout, a projection head. */
export interface Head {
  readonly layers: readonly HeadLayer[];
  /** Not needed for one layer. */
  readonly phi?: Activation;
}

/** The outputs of the head, [n, outputs]. */
export const headOutputs = (head: Head, weights: Weights, features: tf.Tensor2D): tf.Tensor2D =>
  tf.tidy(() => forward(head, weights, features).outputs);

/** The head on top of a feature map in training mode: forward, and the backward pass through both. It takes `below`. */
export function throughHead(head: Head, weights: Weights, below: FeaturePullback): Pullback {
  const { features, statistics } = below;
  const { outputs, inputs, slopes } = tf.tidy(() => forward(head, weights, features));

  const gradients = (outputsGradient: tf.Tensor2D, featuresGradient?: tf.Tensor2D): Gradients => {
    const own: [kernel: tf.Tensor2D, bias: tf.Tensor1D | undefined][] = [];
    const back = tf.tidy(() => {
      let dz: tf.Tensor2D = outputsGradient;
      for (let l = head.layers.length - 1; ; l--) {
        const { kernel, bias } = head.layers[l]!;
        const ofKernel: tf.Tensor2D = tf.matMul(l === 0 ? features : inputs[l - 1]!, dz, true);
        own[l] = [tf.keep(ofKernel), bias === undefined ? undefined : tf.keep(tf.sum(dz, 0))];
        const dh: tf.Tensor2D = tf.matMul(dz, weight<tf.Tensor2D>(weights, kernel), false, true);
        if (l === 0) return featuresGradient === undefined ? dh : (tf.add(dh, featuresGradient) as tf.Tensor2D);
        dz = tf.mul(dh, slopes[l - 1]!);
      }
    });
    const found = below.gradients(back);
    tf.dispose([back, outputs, ...inputs, ...slopes]);
    head.layers.forEach(({ kernel, bias }, l) => {
      found.set(kernel, own[l]![0]);
      if (bias !== undefined) found.set(bias, own[l]![1]!);
    });
    return found;
  };
  return { features, logits: outputs, ...(statistics && { statistics }), gradients };
}

/** The outputs, with the inputs of each layer but the first and φ' there. */
function forward({ layers, phi }: Head, weights: Weights, features: tf.Tensor2D) {
  const inputs: tf.Tensor2D[] = [];
  const slopes: tf.Tensor2D[] = [];
  let outputs = affine(layers[0]!, weights, features);
  for (const layer of layers.slice(1)) {
    slopes.push(phi!.derivative(outputs));
    inputs.push(phi!.value(outputs));
    outputs = affine(layer, weights, inputs.at(-1)!);
  }
  return { outputs, inputs, slopes };
}

function affine({ kernel, bias }: HeadLayer, weights: Weights, h: tf.Tensor2D): tf.Tensor2D {
  const product: tf.Tensor2D = tf.matMul(h, weight<tf.Tensor2D>(weights, kernel));
  return bias === undefined ? product : tf.add(product, weight(weights, bias));
}

export interface ProjectedOptions {
  /** Width of each layer between the features and the projections; none makes the head one linear layer. */
  readonly hidden?: readonly number[];
  /** Width of the projections. */
  readonly outputs: number;
  /** On every layer of the head, or on none. */
  readonly bias?: boolean;
  /** Between two layers of the head. */
  readonly activation?: ActivationName;
  /** Of the head; by default PyTorch's. */
  readonly initialization?: Initialization;
}

interface Sized extends HeadLayer {
  readonly name: string;
  readonly in: number;
  readonly out: number;
}

/**
 * A backbone with a projection head in the place of its readout, for self-supervised learning: F = head ∘ Φ, whose logits are the
 * projections. `featureLayers` are the backbone's, so a regularizer up to feature space never touches the head.
 *
 * Weights are the backbone's without its readout, then 'projector1/kernel', 'projector1/bias', …. Φ is the backbone's own, so what
 * measures it takes the backbone as its model and these weights: `readout(backbone, train, test)` puts a new readout on them.
 *
 * @throws {WeirError} for a backbone whose backward pass by hand has no part for its features alone, and for sizes that make no head
 * @example projected(resnet({ depth: 18, classes: 10, inputSize: [32, 32] }), { outputs: 256, bias: false })
 */
export function projected(backbone: Model, options: ProjectedOptions): Model {
  const {
    hidden = [],
    outputs,
    bias = true,
    activation = 'relu',
    initialization = uniform(),
  } = checkOptions('projected', options, {
    hidden: 'optional',
    outputs: 'required',
    bias: 'optional',
    activation: 'optional',
    initialization: 'optional',
  });
  const sizes = [...hidden, outputs];
  if (!sizes.every((size) => Number.isInteger(size) && size > 0)) {
    throw new WeirError(
      `a projection head of widths ${sizes.join(', ')} was asked for`,
      'give whole numbers from 1 on, such as { hidden: [512], outputs: 10 }',
    );
  }
  const { features } = backbone;
  const pullback = featurePullbackOf(backbone);
  if (pullback === undefined) {
    throw new WeirError(
      `a projection head cannot be put on ${backbone.name}, which has no backward pass of its features alone`,
      'take a ResNet, or a model of layers; an MLP is a backbone with its head as it is',
    );
  }
  const phi = activationNamed(activation);
  const ofReadout = (name: string): boolean => name.startsWith(`${backbone.readout.name}/`);

  const layersFor = (width: number): Sized[] =>
    sizes.map((out, l) => {
      const name = `projector${l + 1}`;
      return { name, in: sizes[l - 1] ?? width, out, kernel: `${name}/kernel`, ...(bias && { bias: `${name}/bias` }) };
    });
  const head: Head = { layers: layersFor(0), phi };
  const ofHead = new Set(head.layers.flatMap(({ kernel, bias: offset }) => [kernel, offset]));
  const featurePullback = (weights: Weights, x: tf.Tensor): FeaturePullback =>
    pullback(new Map([...weights].filter(([name]) => !ofHead.has(name))), x);

  return {
    name: `${backbone.name}, projector ${sizes.join('-')}`,
    inputShape: backbone.inputShape,
    classes: outputs,
    ...(backbone.architecture && {
      architecture: { ...backbone.architecture, projector: sizes.join('-'), projectorActivation: activation },
    }),
    ...(backbone.assumed && { assumed: backbone.assumed }),
    featureLayers: backbone.featureLayers,
    readout: { kind: 'dense', name: `projector${sizes.length}`, kernel: `projector${sizes.length}/kernel` },
    ...(backbone.inputs && { inputs: backbone.inputs }),
    ...(backbone.statistics && { statistics: backbone.statistics }),
    ...(backbone.parts && { parts: backbone.parts }),
    ...(backbone.jacobian && { jacobian: backbone.jacobian }),
    ...(backbone.operations && {
      operations: { features: backbone.operations.features, outputs: operationsOf(head, activation) },
    }),

    start(seed) {
      const whole = backbone.start(seed);
      const width = whole.get(backbone.readout.kernel)!.shape[0]!;
      const weights = new Map<string, tf.Tensor>();
      for (const [name, tensor] of whole) {
        if (ofReadout(name)) tensor.dispose();
        else weights.set(name, tensor);
      }
      layersFor(width).forEach(({ kernel, bias: offset, in: fanIn, out }, l) => {
        const layer = backbone.featureLayers.length + l;
        const drawn = (size: number, part: 0 | 1): Float32Array =>
          initialized(initialization, size, { seed, layer, part, fanIn });
        weights.set(kernel, tf.tensor2d(drawn(fanIn * out, 0), [fanIn, out]));
        if (offset !== undefined) weights.set(offset, tf.tensor1d(drawn(out, 1)));
      });
      return weights;
    },

    features,
    logits: (weights, x) => tf.tidy(() => headOutputs(head, weights, features(weights, x))),
    pullback: (weights, x) => throughHead(head, weights, featurePullback(weights, x)),
    featurePullback,
  };
}

/** The steps of a head. @param name of the activation between its layers */
const operationsOf = ({ layers }: Head, name: ActivationName): Operation[] =>
  layers.flatMap(({ kernel, bias }, l): Operation[] => [
    ...(l > 0 ? [{ kind: 'activation', name } as const] : []),
    { kind: 'dense', kernel, ...(bias !== undefined && { bias }) },
  ]);

/** A readout as a logistic regression gives it: logits = Φ(x) · coefficientsᵀ + intercepts. */
export interface NewReadout {
  /** [classes, width]. */
  readonly coefficients: Float64Array;
  /** [classes]. */
  readonly intercepts: Float64Array;
}

/**
 * The two weights of a model's readout, by name, that make its logits those of another one. The model's factor on its logits is
 * divided out, so they come out as they are asked for. New tensors; they belong to the caller.
 *
 * @example new Map([...weights, ...readoutWeights(model, fitted)])
 */
export function readoutWeights(model: Model, { coefficients, intercepts }: NewReadout): Weights {
  const { kernel, factor = 1 } = model.readout;
  const classes = intercepts.length;
  const width = coefficients.length / classes;
  const values = new Float32Array(coefficients.length);
  for (let k = 0; k < classes; k++) {
    for (let j = 0; j < width; j++) values[j * classes + k] = coefficients[k * width + j]! / factor;
  }
  return new Map<string, tf.Tensor>([
    [kernel, tf.tensor2d(values, [width, classes])],
    [biasOf(model.readout), tf.tensor1d(Float32Array.from(intercepts, (value) => value / factor))],
  ]);
}
