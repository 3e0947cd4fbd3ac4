import { WeirError } from '../../flow/errors.js';
import { tf } from '../../tensorflow/device-tf.js';
import { pullBack } from '../../tensorflow/ops/fused.js';
import { activate, activatedProduct, activateWithSlope, affine } from './activation-activation.js';
import { denseJacobian } from './dense-jacobian.js';
import { type Initialization, normal } from './initialization.js';
import { type DenseLayer, type Gradients, type Model, weight } from './model-model.js';
import { type ActivationName, activationNamed } from './named.js';
import { elementwise } from './part.js';

export interface MlpOptions {
  readonly activation?: ActivationName;
  readonly initialization?: Initialization;
  /**
   * 'width': every linear layer but the first is divided by √(its number of inputs), bias included. The authors' code does so
   * and the paper does not mention it; the scale of the loss, and so the learned σ, depend on it. 'none': plain linear layers.
   */
  readonly scale?: 'width' | 'none';
}

/**
 * A fully connected network: h_l = φ((h_{l−1}W_l + b_l) · s_l), logits = (h W + b) · s, with s_1 = 1 and s_l = 1/√width.
 *
 * Layers are named hidden1, hidden2, …, readout; kernels are [in, out]. The spectral norms are those of the kernels, without s.
 *
 * @param sizes widths from the input to the classes, at least one hidden layer between
 * @example mlp([784, 2000, 10], { activation: 'gelu' })
 */
export function mlp(sizes: readonly number[], options: MlpOptions = {}): Model {
  const { activation = 'gelu', initialization = normal(0.01), scale = 'width' } = options;
  const assumed = (['activation', 'scale'] as const).filter((key) => options[key] === undefined);
  if (sizes.length < 3 || !sizes.every((size) => Number.isInteger(size) && size > 0)) {
    throw new WeirError(
      `an MLP of sizes [${sizes.join(', ')}] was asked for`,
      'give the numbers of inputs, of units in at least one hidden layer, and of classes, such as [784, 2000, 10]',
    );
  }
  const phi = activationNamed(activation);
  const last = sizes.length - 2;
  const layers = sizes.slice(1).map((out, l) => {
    const name = l === last ? 'readout' : `hidden${l + 1}`;
    const fanIn = sizes[l]!;
    const factor = l === 0 || scale === 'none' ? 1 : 1 / Math.sqrt(fanIn);
    return { name, kernel: `${name}/kernel`, bias: `${name}/bias`, kind: 'dense', fanIn, out, factor } as const;
  });
  const hidden = layers.slice(0, last);
  const readout = layers[last]!;
  type Dense = (typeof layers)[number];

  const flat = (x: tf.Tensor): tf.Tensor2D => (x.rank === 2 ? (x as tf.Tensor2D) : tf.reshape(x, [-1, sizes[0]!]));
  const product = (weights: MlpWeights, { kernel }: Dense, h: tf.Tensor2D): tf.Tensor2D =>
    tf.matMul(h, weight<tf.Tensor2D>(weights, kernel));
  const biasOf = (weights: MlpWeights, { bias }: Dense): tf.Tensor1D => weight<tf.Tensor1D>(weights, bias);
  const behind = (weights: MlpWeights, h: tf.Tensor2D, layers: readonly Dense[]): tf.Tensor2D =>
    layers.reduce((h, layer) => activate(phi, product(weights, layer, h), biasOf(weights, layer), layer.factor), h);
  const features = (weights: MlpWeights, x: tf.Tensor): tf.Tensor2D => tf.tidy(() => behind(weights, flat(x), hidden));
  const readOut = (weights: MlpWeights, h: tf.Tensor2D): tf.Tensor2D =>
    affine(product(weights, readout, h), biasOf(weights, readout), readout.factor);

  return {
    name: `mlp ${sizes.join('-')} ${activation}`,
    inputShape: [sizes[0]!],
    classes: sizes[sizes.length - 1]!,
    architecture: { architecture: `mlp ${sizes.join('-')}`, activation, scale },
    featureLayers: hidden.map(asLayer),
    readout: asLayer(readout),

    ...(assumed.length > 0 && { assumed }),

    start(seed) {
      const weights = new Map<string, tf.Tensor>();
      layers.forEach(({ kernel, bias, fanIn, out }, layer) => {
        const drawn = (size: number, part: 0 | 1): Float32Array => {
          const values = new Float32Array(size);
          initialization(values, { seed, layer, part, fanIn });
          return values;
        };
        weights.set(kernel, tf.tensor2d(drawn(fanIn * out, 0), [fanIn, out]));
        weights.set(bias, tf.tensor1d(drawn(out, 1)));
      });
      return weights;
    },

    features,
    logits: (weights, x) => tf.tidy(() => readOut(weights, features(weights, x))),
    first: {
      kernel: hidden[0]!.kernel,
      bias: hidden[0]!.bias,
      rest: (weights, sums, bias, scale) =>
        tf.tidy(() => {
          let z = activatedProduct(phi, sums, bias, scale, weight(weights, layers[1]!.kernel));
          for (let l = 1; l < last; l++) {
            const h = activate(phi, z, biasOf(weights, layers[l]!), layers[l]!.factor);
            z = product(weights, layers[l + 1]!, h);
          }
          return affine(z, biasOf(weights, readout), readout.factor);
        }),
    },

    jacobian: denseJacobian(hidden, phi, flat),
    parts: hidden.flatMap((layer) => [asLayer(layer), elementwise(phi.name, phi.lipschitz)]),

    pullback(weights, x) {
      const inputs: tf.Tensor2D[] = []; // h_0 … h_{L−1}
      const slopes: tf.Tensor2D[] = []; // ∂h_l/∂(h_{l−1}W_l), l = 1 … L−1
      const logits = tf.tidy(() => {
        let h = tf.keep(tf.clone(flat(x)));
        inputs.push(h);
        for (const layer of hidden) {
          const z = product(weights, layer, h);
          const [next, slope] = activateWithSlope(phi, z, biasOf(weights, layer), layer.factor);
          z.dispose(); // at once: the next large tensor then lies where the processor's cache is warm
          h = tf.keep(next);
          inputs.push(h);
          slopes.push(tf.keep(slope));
        }
        return readOut(weights, h);
      });

      const gradients = (logitsGradient: tf.Tensor2D, featuresGradient?: tf.Tensor2D): Gradients => {
        const found: Gradients = new Map();
        let dz: tf.Tensor2D = tf.mul(logitsGradient, readout.factor);
        let sum: tf.Tensor1D = tf.sum(dz, 0);
        for (let l = last; ; l--) {
          const { kernel, bias } = layers[l]!;
          found.set(kernel, tf.matMul(inputs[l]!, dz, true));
          found.set(bias, sum);
          if (l === 0) break;
          const after = dz;
          [dz, sum] = pullBack(after, weight<tf.Tensor2D>(weights, kernel), slopes[l - 1]!);
          after.dispose();
          if (l === last && featuresGradient !== undefined) {
            const before = [dz, sum];
            [dz, sum] = joined(dz, featuresGradient, slopes[l - 1]!);
            tf.dispose(before);
          }
        }
        tf.dispose([dz, inputs, slopes, logits]);
        return found;
      };
      return { features: inputs[last]!, logits, gradients };
    },
  };
}

/** dz with what a gradient on the features adds to it, and its sum over the samples. */
function joined(dz: tf.Tensor2D, features: tf.Tensor2D, slope: tf.Tensor2D): [tf.Tensor2D, tf.Tensor1D] {
  return tf.tidy(() => {
    const whole = tf.add(dz, tf.mul(features, slope));
    return [whole, tf.sum(whole, 0)];
  }) as [tf.Tensor2D, tf.Tensor1D];
}

type MlpWeights = Parameters<Model['logits']>[0];

const asLayer = ({ name, kernel, factor }: DenseLayer): DenseLayer => ({ kind: 'dense', name, kernel, factor });
