import { WeirError } from '../../flow/errors.js';
import { keyed } from '../../flow/random.js';
import { type ConvolutionGeometry, type Convolutions, convolutions } from '../../tensorflow/ops/convolution.js';
import { lent, type Raw } from '../../tensorflow/ops/eager.js';
import { addOuter } from '../../tensorflow/ops/fused.js';
import type { ConvolutionGrid } from '../../tensorflow/ops/spectral.js';
import { scoped, tf } from '../../tensorflow/tf.js';
import { type ConvLayer, type DenseLayer, type Gradients, type Layer, type Weights, weight } from '../model/model.js';
import { exactDense, finite } from './exact.js';

/** The largest singular value of a layer with its directions, as far as power iteration has converged. */
export interface Singular {
  /** σ. */
  readonly sigma: number;
  /**
   * Unit vector on the output side: σu is the image of v. A dense layer's is [out]; for convolutions see `frequencyPower` and
   * `imagePower`. Gram iteration weighs all directions, so u and v are empty: see `gramPower`.
   */
  readonly u: Float32Array;
  /** Unit vector on the input side. */
  readonly v: Float32Array;
  /** The frequency of v, where the search goes by frequencies: the next one begins there. */
  readonly frequency?: number;
  /** Further state of the iteration: for convolutions the vectors at every frequency, of Gram iteration its weighing. */
  readonly state?: Float32Array;
}

/** Per layer, by its name; plain data. */
export type Spectrum = { readonly [layer: string]: Singular };

/** The search for σ of one layer and its directions, and the gradient of a regularizer γ/2 · σ² on it. It only reads weights. */
export interface LayerPower {
  readonly layer: Layer;
  /** From random directions until they converge, or exactly. */
  begin(weights: Weights): Singular;
  /** A tick: from the directions of the last one, on the current weights. */
  iterate(weights: Weights, from: Singular): Singular;
  /** ‖K v‖² on the current weights, K the layer's linear map. */
  square(weights: Weights, singular: Singular): number;
  /** Adds the gradient of strength/2 · ‖K v‖², v held constant. Disposes of the gradients it replaces. */
  addGradients(weights: Weights, singular: Singular, strength: number, gradients: Gradients): void;
}

/**
 * The space of power iteration on a convolution. By frequencies, every P(ω) has a vector of its own (paper, appendix B.2), and only
 * the gaps within one frequency slow it down. On one image, K and Kᵀ are applied to the whole, and the gaps between frequencies slow
 * it down too. A tick costs the same.
 */
export type Formulation = 'frequency' | 'image';

/** How σ and its directions are found. */
export const directionKinds = ['krylov', 'power', 'exact', 'gram'] as const;

export type Directions = (typeof directionKinds)[number];

export interface PowerOptions {
  /**
   * Power iterations a tick (N of algorithm 1): of dense layers, on an image, and of every layer under `directions: 'power'`. 1 by default.
   * Under `directions: 'gram'` the steps of Gram iteration, 6 by default.
   */
  readonly iterations: number;
  /** Of the first directions. */
  readonly seed: number;
  /**
   * How ticks find the directions of a convolution by its frequencies: in a Krylov space (within 1 % of σ where power iteration can
   * be 20 % off), by the paper's power iteration, or the exact pair of each tick's weights. Other layers know the last two. By Gram
   * iteration σ is an upper bound, of every layer, with the gradient of the bound: see `gramPower`.
   */
  readonly directions: Directions;
  readonly formulation: Formulation;
  /** Size of the images that convolutions are measured at; the model's own where it is left out. */
  readonly imageSize?: readonly [height: number, width: number];
  /** With the batch normalization behind a convolution: see `Folding`. */
  readonly foldNormalization: boolean;
}

/**
 * A convolution's kernel with the batch normalization behind it: column o times c_o = scale_o/√(variance_o + ε), as it works in
 * evaluation mode. By default it is left out, as in the authors' code: then σ is that of the kernel alone, and the network's Lipschitz
 * constant also depends on the scales. The variance is held constant.
 */
export interface Folding {
  /** The kernel with its factors; call it inside a scope or `tf.tidy`. */
  kernel(weights: Weights): tf.Tensor4D;
  /** c, [out]; undefined where nothing is folded. */
  factors(weights: Weights): tf.Tensor1D | undefined;
  /**
   * Adds ∂/∂scale of strength/2 · Σ_ro (m_ro c_o)², m of [rank, out] the image of the direction without c. Disposes
   * of the gradient it replaces.
   */
  addGradients(weights: Weights, images: () => tf.Tensor2D, strength: number, gradients: Gradients): void;
  /** Adds the gradients with respect to kernel and scale where that with respect to `kernel(weights)` is given, which is disposed of. */
  addFolded(weights: Weights, gradient: tf.Tensor, gradients: Gradients): void;
}

export function folding(layer: ConvLayer, fold: boolean): Folding {
  const { normalization } = layer;
  const factors: Folding['factors'] = (weights) => {
    if (!fold || normalization === undefined) return undefined;
    return tf.tidy(() => tf.div(weight(weights, normalization.scale), deviation(weights)) as tf.Tensor1D);
  };
  const deviation = (weights: Weights): tf.Tensor =>
    tf.sqrt(tf.add(weight(weights, normalization!.variance), normalization!.epsilon));
  return {
    factors,
    kernel(weights) {
      const kernel = weight<tf.Tensor4D>(weights, layer.kernel);
      const c = factors(weights);
      return c === undefined ? kernel : (tf.mul(kernel, c) as tf.Tensor4D);
    },
    addGradients(weights, images, strength, gradients) {
      if (!fold || normalization === undefined) return;
      const old = gradients.get(normalization.scale);
      if (old === undefined) return;
      const sum = tf.tidy(() => {
        const own = tf.mul(tf.sum(tf.square(images()), 0), tf.mul(factors(weights)!, strength));
        return tf.add(old, tf.div(own, deviation(weights)));
      });
      gradients.set(normalization.scale, sum);
      old.dispose();
    },
    addFolded(weights, gradient, gradients) {
      const c = factors(weights);
      const add = (name: string, work: (old: tf.Tensor) => tf.Tensor): void => {
        const old = gradients.get(name);
        if (old === undefined) return;
        gradients.set(
          name,
          tf.tidy(() => work(old)),
        );
        old.dispose();
      };
      add(layer.kernel, (old) => tf.add(old, c === undefined ? gradient : tf.mul(gradient, c)));
      if (c !== undefined) {
        add(normalization!.scale, (old) => {
          const own = tf.sum(tf.mul(gradient, weight(weights, layer.kernel)), [0, 1, 2]);
          return tf.add(old, tf.div(own, deviation(weights)));
        });
        c.dispose();
      }
      gradient.dispose();
    },
  };
}

/** When power iteration stops: after `steps`, or earlier where v has converged. */
export interface Stop {
  readonly steps: number;
  /** Stop when v moved less than this, ‖Δv‖₂. */
  readonly direction?: number;
}

/**
 * Power iteration for the largest singular value of a dense layer y = xW (paper, appendix C, algorithm 1):
 * u ← Wᵀv/‖·‖, v ← Wu/‖·‖, and at the end σ = ‖Wᵀv‖ with its u, so that ∂σ²/∂W = 2σ v uᵀ for W of [in, out].
 *
 * @param kernel W, [in, out]; only read
 * @param v the first direction, of length in and any norm
 */
export function powerIterate(kernel: tf.Tensor2D, v: Float32Array, { steps, direction }: Stop): Singular {
  return tf.tidy(() => {
    let at = unit(tf.tensor2d(v, [v.length, 1]));
    let image = tf.matMul(kernel, at, true);
    for (let i = 0; i < steps; i++) {
      const before = at;
      at = unit(tf.matMul(kernel, unit(image)));
      image = tf.matMul(kernel, at, true);
      if (direction !== undefined && scalar(tf.norm(tf.sub(at, before))) < direction) break;
    }
    const values = image.dataSync<'float32'>();
    const length = Math.sqrt(values.reduce((sum, y) => sum + y * y, 0));
    // an all-zero kernel has σ = 0 and no direction: v stays unchanged
    const u = values.map((y) => (length === 0 ? 0 : y / length));
    return { sigma: length, u: Float32Array.from(u), v: length === 0 ? v.slice() : at.dataSync<'float32'>().slice() };
  });
}

/** N(0, I) keyed by seed and layer: a first direction. */
export function firstDirection(seed: number, layer: number, length: number): Float32Array {
  const random = keyed(seed, 'spectral/direction', layer);
  return Float32Array.from({ length }, () => random.normal());
}

export const unit = <T extends tf.Tensor>(x: T): T => tf.div(x, tf.maximum(tf.norm(x), 1e-30)) as T;

const scalar = (x: tf.Tensor): number => x.dataSync()[0]!;

/** A dense layer y = xW: ∂/∂W of strength/2 · ‖Wᵀv‖² is strength · v (Wᵀv)ᵀ (section 3.2, in the layout [in, out]). */
export function densePower(
  layer: DenseLayer,
  index: number,
  { iterations, seed, directions }: Pick<PowerOptions, 'iterations' | 'seed' | 'directions'>,
): LayerPower {
  const kernelOf = (weights: Parameters<LayerPower['begin']>[0]) => weight<tf.Tensor2D>(weights, layer.kernel);
  if (directions === 'exact') {
    const power = densePower(layer, index, { iterations, seed, directions: 'power' });
    return {
      ...power,
      begin: (weights) => exact(kernelOf(weights), layer.name),
      iterate: (weights) => exact(kernelOf(weights), layer.name),
    };
  }
  return {
    layer,
    /** At most 2 · (input dimension) iterations, until v moves less than 1e-6. */
    begin(weights) {
      const kernel = kernelOf(weights);
      const inputs = kernel.shape[0];
      return powerIterate(kernel, firstDirection(seed, index, inputs), { steps: 2 * inputs, direction: 1e-6 });
    },
    iterate: (weights, { v }) => powerIterate(kernelOf(weights), v, { steps: iterations }),
    square: (weights, singular) => tf.tidy(() => tf.sum(tf.square(image(kernelOf(weights), singular))).dataSync()[0]!),
    addGradients(weights, singular, strength, gradients) {
      const w = kernelOf(weights);
      const old = gradients.get(layer.kernel) as tf.Tensor2D;
      gradients.set(
        layer.kernel,
        tf.tidy(() => addOuter(old, tf.tensor1d(singular.v), tf.mul(image(w, singular), strength))),
      );
      old.dispose();
    },
  };
}

/** (Wᵀv)ᵀ = vᵀW, of shape [1, out]. */
const image = (kernel: tf.Tensor2D, { v }: Singular): tf.Tensor2D => tf.matMul(tf.tensor2d(v, [1, v.length]), kernel);

function exact(kernel: tf.Tensor2D, layer: string): Singular {
  const { wave } = exactDense(kernel, { layer });
  return powerIterate(kernel, wave!.patch.slice(0, kernel.shape[0]), { steps: 0 });
}

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
