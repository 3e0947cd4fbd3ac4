import type { Layer } from '../model/layer.js';
import type { Gradients, Weights } from '../model/model-model.js';
import type { Singular } from './spectrum.js';

/** How σ of one layer and its directions are found, and what a penalty γ/2 · σ² on it makes of them. It only reads weights. */
export interface LayerPower {
  readonly layer: Layer;
  /** From random directions until they rest, or exactly. */
  begin(weights: Weights): Singular;
  /** A tick: on from where the last ended, on the weights as they are now. */
  iterate(weights: Weights, from: Singular): Singular;
  /** ‖K v‖² on the weights as they are now, K the layer's linear map. */
  square(weights: Weights, singular: Singular): number;
  /** Adds the gradient of strength/2 · ‖K v‖², v held constant. Takes the gradients it replaces. */
  addGradients(weights: Weights, singular: Singular, strength: number, gradients: Gradients): void;
}

/**
 * In which space power iteration on a convolution works. By frequencies, every P(ω) has a vector of its own (paper, appendix B.2) and
 * only the gaps within one slow it down; on one image, K and Kᵀ are applied to all of it at once, and the gaps between frequencies
 * slow it down too. A tick costs the same.
 */
export type Formulation = 'frequency' | 'image';

export interface PowerOptions {
  /** Power iterations a tick (N of algorithm 1): of dense layers, on an image, and of every layer under `directions: 'power'`. */
  readonly iterations: number;
  /** Of the first directions. */
  readonly seed: number;
  /**
   * How ticks find the directions of a convolution by its frequencies: in a Krylov space (within 1 % of σ where power iteration can
   * be 20 % off), by the paper's power iteration, or the exact pair of each tick's weights. Other layers know the last two.
   */
  readonly directions: 'krylov' | 'power' | 'exact';
  readonly formulation: Formulation;
  /** Size of the images that convolutions are measured at; the model's own where it is left out. */
  readonly imageSize?: readonly [height: number, width: number];
  /** With the batch normalization behind a convolution: see fold.ts. */
  readonly foldNormalization: boolean;
}
