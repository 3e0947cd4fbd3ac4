import { WeirError } from '../../flow/errors.js';
import { checkChoice, checkOptions } from '../../flow/options.js';
import { pullBack } from '../../tensorflow/ops/fused.js';
import { tf } from '../../tensorflow/tf.js';
import {
  type Activation,
  type ActivationName,
  activate,
  activatedProduct,
  activateWithSlope,
  activationNamed,
  affine,
} from './activation.js';
import {
  activated,
  type DenseLayer,
  type FeatureJacobian,
  type FeaturePull,
  type Gradients,
  type Initialization,
  initialized,
  type Linearization,
  type Model,
  normal,
  type Weights,
  weight,
} from './model.js';
import type { Operation } from './operations.js';

/** h ↦ φ((hW + b) · factor). */
interface HiddenLayer {
  /** Names among the weights. */
  readonly kernel: string;
  readonly bias: string;
  readonly factor: number;
}

/**
 * ∇Φ(x) = D_{L−1}W_{L−1}ᵀ … D_1W_1ᵀ (paper, A.9; kernels are [in, out], and D_l takes the factor in) as products, by hand.
 *
 * A direction t goes forward as t ← (tW_l) ⊙ d_l with d_l = φ'(a_l) · factor, a cotangent q back as q ← (q ⊙ d_l)W_lᵀ.
 */
function denseJacobian(
  layers: readonly HiddenLayer[],
  phi: Activation,
  flat: (x: tf.Tensor) => tf.Tensor2D,
): FeatureJacobian {
  const kernelOf = (weights: Weights, { kernel }: HiddenLayer) => weight<tf.Tensor2D>(weights, kernel);
  const biasOf = (weights: Weights, { bias }: HiddenLayer) => weight<tf.Tensor1D>(weights, bias);

  function at(weights: Weights, x: tf.Tensor): Linearization {
    const inputs: tf.Tensor2D[] = []; // h_0 … h_{L−2}
    const slopes: tf.Tensor2D[] = []; // d_l
    const kernels = layers.map((layer) => kernelOf(weights, layer));
    tf.tidy(() => {
      let h = flat(x);
      for (const [l, layer] of layers.entries()) {
        inputs.push(tf.keep(tf.clone(h)));
        const [next, slope] = activateWithSlope(phi, tf.matMul(h, kernels[l]!), biasOf(weights, layer), layer.factor);
        slopes.push(tf.keep(slope));
        h = next;
      }
    });
    const bends: tf.Tensor2D[] = []; // ∂d_l/∂(h_{l−1}W_l), where gradients were asked for
    const bend = (l: number): tf.Tensor2D => {
      const { factor } = layers[l]!;
      bends[l] ??= tf.tidy(() => {
        const z: tf.Tensor2D = tf.matMul(inputs[l]!, kernels[l]!);
        return tf.keep(tf.mul(phi.curvature(affine(z, biasOf(weights, layers[l]!), factor)), factor * factor));
      });
      return bends[l];
    };

    return {
      forward: (p) => tf.tidy(() => slopes.reduce<tf.Tensor2D>((t, d, l) => tf.mul(tf.matMul(t, kernels[l]!), d), p)),
      backward: (q) =>
        tf.tidy(() =>
          slopes.reduceRight<tf.Tensor2D>((q, d, l) => tf.matMul(tf.mul(q, d), kernels[l]!, false, true), q),
        ),

      gradients(p, q) {
        const found: Gradients = new Map();
        tf.tidy(() => {
          const directions: tf.Tensor2D[] = [p]; // t_0 … t_{L−2}
          const images: tf.Tensor2D[] = []; // t_{l−1}W_l
          for (const [l, d] of slopes.entries()) {
            images.push(tf.matMul(directions[l]!, kernels[l]!));
            directions.push(tf.mul(images[l]!, d));
          }
          let dt = q; // with respect to t_l
          let dh: tf.Tensor2D | undefined; // with respect to h_l, which the last layer's output does not enter
          for (let l = layers.length - 1; l >= 0; l--) {
            const du: tf.Tensor2D = tf.mul(dt, slopes[l]!);
            const bent: tf.Tensor2D = tf.mul(tf.mul(dt, images[l]!), bend(l));
            const dz: tf.Tensor2D = dh === undefined ? bent : tf.add(bent, tf.mul(dh, slopes[l]!));
            const both = tf.add(tf.matMul(inputs[l]!, dz, true), tf.matMul(directions[l]!, du, true));
            found.set(layers[l]!.kernel, tf.keep(both));
            found.set(layers[l]!.bias, tf.keep(tf.sum(dz, 0)));
            if (l === 0) break;
            dt = tf.matMul(du, kernels[l]!, false, true);
            dh = tf.matMul(dz, kernels[l]!, false, true);
          }
        });
        return found;
      },

      dispose: () => tf.dispose([inputs, slopes, bends]),
    };
  }

  const once = (weights: Weights, x: tf.Tensor, work: (at: Linearization) => tf.Tensor2D): tf.Tensor2D => {
    const linearization = at(weights, x);
    const result = work(linearization);
    linearization.dispose();
    return result;
  };
  return {
    forward: (weights, x, p) => once(weights, x, (linearization) => linearization.forward(p)),
    backward: (weights, x, q) => once(weights, x, (linearization) => linearization.backward(q)),
    at,
    pull: (weights, x, cotangent) =>
      tf.tidy(() => {
        let h = flat(x);
        const slopes = layers.map((layer) => {
          const z: tf.Tensor2D = tf.matMul(h, kernelOf(weights, layer));
          const [next, slope] = activateWithSlope(phi, z, biasOf(weights, layer), layer.factor);
          z.dispose(); // at once: the next large tensor then reuses memory that is in the cache
          h = next;
          return slope;
        });
        const product = slopes.reduceRight<tf.Tensor2D>(
          (q, d, l) => tf.matMul(tf.mul(q, d), kernelOf(weights, layers[l]!), false, true),
          cotangent(h, 0),
        );
        return [h, product];
      }) as ReturnType<FeaturePull>,
  };
}

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
  checkOptions('mlp', options, { activation: 'optional', initialization: 'optional', scale: 'optional' });
  const { activation = 'gelu', initialization = normal(0.01), scale = 'width' } = options;
  checkChoice('mlp', 'scale', scale, ['width', 'none']);
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
  const asOperation = ({ kind, kernel, bias, factor }: Dense): Operation => ({ kind, kernel, bias, factor });

  const flat = (x: tf.Tensor): tf.Tensor2D => (x.rank === 2 ? (x as tf.Tensor2D) : tf.reshape(x, [-1, sizes[0]!]));
  const product = (weights: Weights, { kernel }: Dense, h: tf.Tensor2D): tf.Tensor2D =>
    tf.matMul(h, weight<tf.Tensor2D>(weights, kernel));
  const biasOf = (weights: Weights, { bias }: Dense): tf.Tensor1D => weight<tf.Tensor1D>(weights, bias);
  const behind = (weights: Weights, h: tf.Tensor2D, layers: readonly Dense[]): tf.Tensor2D =>
    layers.reduce((h, layer) => activate(phi, product(weights, layer, h), biasOf(weights, layer), layer.factor), h);
  const features = (weights: Weights, x: tf.Tensor): tf.Tensor2D => tf.tidy(() => behind(weights, flat(x), hidden));
  const readOut = (weights: Weights, h: tf.Tensor2D): tf.Tensor2D =>
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
        const drawn = (size: number, part: 0 | 1): Float32Array =>
          initialized(initialization, size, { seed, layer, part, fanIn });
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
    parts: hidden.flatMap((layer) => [asLayer(layer), activated({ name: activation, lipschitz: phi.lipschitz })]),
    operations: {
      features: hidden.flatMap((layer) => [asOperation(layer), { kind: 'activation', name: activation }]),
      outputs: [asOperation(readout)],
    },

    pullback(weights, x) {
      const inputs: tf.Tensor2D[] = []; // h_0 … h_{L−1}
      const slopes: tf.Tensor2D[] = []; // ∂h_l/∂(h_{l−1}W_l), l = 1 … L−1
      const logits = tf.tidy(() => {
        let h = tf.keep(tf.clone(flat(x)));
        inputs.push(h);
        for (const layer of hidden) {
          const z = product(weights, layer, h);
          const [next, slope] = activateWithSlope(phi, z, biasOf(weights, layer), layer.factor);
          z.dispose(); // at once: the next large tensor then reuses memory that is in the cache
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
            [dz, sum] = withFeatures(dz, featuresGradient, slopes[l - 1]!);
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

/** dz plus the gradient of the features, and the sum over the samples. */
function withFeatures(dz: tf.Tensor2D, features: tf.Tensor2D, slope: tf.Tensor2D): [tf.Tensor2D, tf.Tensor1D] {
  return tf.tidy(() => {
    const whole = tf.add(dz, tf.mul(features, slope));
    return [whole, tf.sum(whole, 0)];
  }) as [tf.Tensor2D, tf.Tensor1D];
}

const asLayer = ({ name, kernel, factor }: DenseLayer): DenseLayer => ({ kind: 'dense', name, kernel, factor });
