import { tf } from '../../tensorflow/device-tf.js';
import type { Activation } from './activation-activation.js';
import { type FeaturePullback, type Gradients, type Pullback, type Weights, weight } from './model-model.js';

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

/** What the head makes of features, [n, outputs]. */
export const headOutputs = (head: Head, weights: Weights, features: tf.Tensor2D): tf.Tensor2D =>
  tf.tidy(() => forward(head, weights, features).outputs);

/** A feature map gone through in training mode, and the head on top of it: forward, and back through both. It takes `below`. */
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

/** The outputs, with what goes into each layer but the first and φ' there. */
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
