import { WeirError } from '../../flow/errors.js';
import { tf } from '../../tensorflow/device-tf.js';
import { type Initialization, uniform } from './initialization.js';
import { type Head, type HeadLayer, headOutputs, throughHead } from './model-head.js';
import type { Model } from './model-model.js';
import { type ActivationName, activationNamed } from './named.js';

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
 * projections. `featureLayers` are the backbone's, so a penalty up to feature space never touches the head.
 *
 * Weights are the backbone's without its readout, then 'projector1/kernel', 'projector1/bias', …. Φ is the backbone's own, so what
 * measures it takes the backbone as its model and these weights: `readout(backbone, train, test)` puts a new readout on them.
 *
 * @throws {WeirError} for a backbone that has no backward pass of its feature map alone, and for sizes that make no head
 * @example projected(resnet({ depth: 18, classes: 10, inputSize: [32, 32] }), { outputs: 256, bias: false })
 */
export function projected(
  backbone: Model,
  { hidden = [], outputs, bias = true, activation = 'relu', initialization = uniform() }: ProjectedOptions,
): Model {
  const sizes = [...hidden, outputs];
  if (!sizes.every((size) => Number.isInteger(size) && size > 0)) {
    throw new WeirError(
      `a projection head of widths ${sizes.join(', ')} was asked for`,
      'give whole numbers from 1 on, such as { hidden: [512], outputs: 10 }',
    );
  }
  const { featurePullback, features } = backbone;
  if (featurePullback === undefined) {
    throw new WeirError(
      `a projection head cannot be put on ${backbone.name}, which has no backward pass of its features alone`,
      'take a ResNet; an MLP is a backbone with its head as it is',
    );
  }
  const phi = activationNamed(activation);
  const ofReadout = (name: string): boolean => name.startsWith(`${backbone.readout.name}/`);

  const layersFor = (width: number): Sized[] =>
    sizes.map((out, l) => {
      const name = `projector${l + 1}`;
      return {
        ...{ name, in: sizes[l - 1] ?? width, out, kernel: `${name}/kernel` },
        ...(bias && { bias: `${name}/bias` }),
      };
    });
  const head: Head = { layers: layersFor(0), phi };

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
        const drawn = (size: number, part: 0 | 1): Float32Array => {
          const values = new Float32Array(size);
          initialization(values, { seed, layer, part, fanIn });
          return values;
        };
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
