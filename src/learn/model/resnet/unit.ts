import type { Affine, After, Normalizations, Normalized } from '../../../tensorflow/ops/batch-norm-batch-norm.js';
import type { Convolutions } from '../../../tensorflow/ops/convolution-convolution.js';
import { lent, type Raw } from '../../../tensorflow/ops/raw.js';
import { type Weights, weight } from '../model-model.js';
import type { ConvPlan } from './resnet-plan.js';

/** What computes a network in training mode: on this device, in this precision. */
export interface Engine {
  readonly convolutions: Convolutions;
  readonly normalizations: Normalizations;
}

/** What a unit's backward pass gives; all of it new. */
export interface UnitBack {
  /** With respect to the unit's input; undefined where it was not wanted. */
  readonly x: Raw | undefined;
  /** With respect to the residual, where there was one. */
  readonly residual: Raw | undefined;
}

/** A convolution and the batch normalization behind it, gone through forward and waiting for the way back. */
export interface Unit {
  readonly conv: ConvPlan;
  /** What goes on from here. It belongs to the unit until `back`. */
  readonly y: Raw;
  /** Of the batch, by channel; the variance is the biased one. */
  readonly mean: Raw;
  readonly variance: Raw;
  /** Numbers that each mean is over. */
  readonly count: number;
  /**
   * Call it once: it disposes of all that the forward pass kept, y included, and puts the unit's own gradients into `found`.
   *
   * @param dy the gradient with respect to y, and `other` what is to be added to it; it takes both
   */
  back(dy: Raw, other: Raw | undefined, found: Map<string, Raw>, wantsInput: boolean): UnitBack;
}

/** Goes forward through one unit; x stays the caller's, who keeps it until the way back is done. */
export function unit(engine: Engine, weights: Weights, conv: ConvPlan, x: Raw, after: After): Unit {
  const kernel = lent(weight(weights, conv.kernel));
  const affine: Affine = {
    scale: lent(weight(weights, conv.norm.scale)),
    offset: lent(weight(weights, conv.norm.offset)),
  };
  const { convolutions, normalizations } = engine;
  const packed = convolutions.packed(kernel, conv, x.shape[0]);
  const z = convolutions.convolve(x, packed, conv);
  packed.dispose();
  const normalized: Normalized = normalizations.forward(z, affine, after);

  return {
    conv,
    ...normalized,
    back(dy, other, found, wantsInput) {
      const to = normalizations.back(dy, other, z, normalized, affine, after);
      for (const raw of [dy, other, z, normalized.y, normalized.mean, normalized.variance]) raw?.dispose();
      found.set(conv.norm.scale, to.scale);
      found.set(conv.norm.offset, to.offset);
      found.set(conv.kernel, convolutions.filter(x, to.x, conv));
      const dx = wantsInput ? convolutions.back(to.x, kernel, conv, x.shape[0]!) : undefined;
      to.x.dispose();
      return { x: dx, residual: to.residual };
    },
  };
}
