import { WeirError } from '../../flow/errors.js';
import { type ConvolutionGeometry, type Convolutions, convolutions } from '../../tensorflow/ops/convolution.js';
import { lent, type Raw } from '../../tensorflow/ops/eager.js';
import type { ConvolutionGrid } from '../../tensorflow/ops/spectral.js';
import { scoped, tf } from '../../tensorflow/tf.js';
import { type ConvLayer, type Weights, weight } from '../model/model.js';
import { finite } from './exact.js';
import { firstDirection, folding, type LayerPower, type PowerOptions, type Singular } from './power.js';

/**
 * A convolution in image space: power iteration with the circular convolution and its transpose on one image, of any size, divided
 * by the stride or not.
 *
 * v of a `Singular` is an image [height, width, in], u one of [⌈height/stride⌉, ⌈width/stride⌉, out]. It converges by the gap between
 * the largest singular values of all frequencies, and keeps only one of them: where another frequency overtakes, it follows late.
 */
export function imagePower(
  layer: ConvLayer,
  grid: ConvolutionGrid,
  index: number,
  { iterations, seed, foldNormalization }: PowerOptions,
): LayerPower {
  const folds = folding(layer, foldNormalization);
  const geometryOf = (kernel: tf.Tensor): ConvolutionGeometry => {
    const [rows, columns, inputs, outputs] = kernel.shape as [number, number, number, number];
    if (rows !== columns || rows % 2 === 0) {
      throw new WeirError(
        `layer '${layer.name}' has a kernel of ${rows} × ${columns}, which the image formulation cannot pad evenly`,
        "take formulation: 'frequency'",
      );
    }
    return { ...grid, in: inputs, out: outputs, size: rows, padding: 'circular' };
  };
  /** K x; a new tensor. */
  const image = (engine: Convolutions, kernel: tf.Tensor, geometry: ConvolutionGeometry, x: tf.Tensor): tf.Tensor => {
    const packed = engine.packed(lent(kernel), geometry);
    const y = engine.convolve(lent(x), packed, geometry);
    packed.dispose();
    return tensor(y);
  };
  const upload = (geometry: ConvolutionGeometry, v: Float32Array): tf.Tensor4D =>
    tf.tensor4d(v, [1, geometry.height, geometry.width, geometry.in]);

  const iterate = (weights: Weights, from: Float32Array, steps: number): Singular =>
    scoped(() => {
      const engine = convolutions('float32');
      const kernel = folds.kernel(weights);
      const geometry = geometryOf(kernel);
      let v: tf.Tensor = unit(upload(geometry, from));
      let u = image(engine, kernel, geometry, v);
      for (let step = 0; step < steps; step++) {
        v = unit(tensor(engine.back(lent(unit(u)), lent(kernel), geometry)));
        u = image(engine, kernel, geometry, v);
      }
      const values = u.dataSync<'float32'>();
      const sigma = finite(Math.sqrt(values.reduce((sum, y) => sum + y * y, 0)), layer.name);
      // an all-zero kernel has σ = 0 and no direction: v stays unchanged
      return {
        sigma,
        u: values.map((y) => (sigma === 0 ? 0 : y / sigma)),
        v: sigma === 0 ? from.slice() : v.dataSync<'float32'>().slice(),
      };
    });

  return {
    layer,
    /** Until σ changes by less than 1e-4 of itself in 16 steps; at most 960. */
    begin(weights) {
      const { height, width } = grid;
      const length = height * width * weight(weights, layer.kernel).shape[2]!;
      let at = iterate(weights, firstDirection(seed, index, length), 16);
      for (let round = 1, last = 0; round < 60 && at.sigma - last > 1e-4 * at.sigma; round++) {
        last = at.sigma;
        at = iterate(weights, at.v, 16);
      }
      return at;
    },
    iterate: (weights, { v }) => iterate(weights, v, iterations),
    square: (weights, { v }) =>
      scoped(() => {
        const kernel = folds.kernel(weights);
        const geometry = geometryOf(kernel);
        const u = image(convolutions('float32'), kernel, geometry, upload(geometry, v));
        return tf.sum(tf.square(u)).dataSync()[0]!;
      }),
    addGradients(weights, { v }, strength, gradients) {
      const old = gradients.get(layer.kernel)!;
      const engine = convolutions('float32');
      const [sum, plain] = tf.tidy(() => {
        const own = weight(weights, layer.kernel);
        const geometry = geometryOf(own);
        const x = upload(geometry, v);
        const u = image(engine, own, geometry, x);
        const c = folds.factors(weights);
        const turned = c === undefined ? u : tf.mul(u, tf.square(c));
        const gradient = tensor(engine.filter(lent(x), lent(turned), geometry));
        return [tf.add(old, tf.mul(gradient, strength)), tf.reshape(u, [-1, own.shape[3]!])];
      }) as [tf.Tensor, tf.Tensor2D];
      gradients.set(layer.kernel, sum);
      folds.addGradients(weights, () => plain, strength, gradients);
      tf.dispose([old, plain]);
    },
  };
}

/** Known to TensorFlow.js from here on, and to the scope. */
const tensor = (raw: Raw): tf.Tensor => raw.toTensor();

const unit = (x: tf.Tensor): tf.Tensor => tf.div(x, tf.maximum(tf.norm(x), 1e-30));
