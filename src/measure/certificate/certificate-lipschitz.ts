import { WeirError } from '../../flow/errors.js';
import { type Layer, type Model, type Weights, weight } from '../../learn/model/model-model.js';
import type { ByNorm, norms, Part } from '../../learn/model/part.js';
import type { tf } from '../../tensorflow/device-tf.js';
import { convNorms } from './conv-norm.js';
import { denseNorms } from './dense-norm.js';

/** Part by which every constant is raised, for what float32 rounds in the network and in σ. */
export const ROUNDING = 1e-5;

/**
 * A Lipschitz constant L of the feature map in each norm, ‖Φ(a) − Φ(b)‖_p ≤ L ‖a − b‖_p everywhere, so that ‖∇Φ‖_p ≤ L: the product of
 * the layers' norms and the activations' largest slopes (paper, A.12, with the true max |φ'|, which for GELU is 1.129 and not 1);
 * branches that are added have the sum of theirs; batch normalization counts by its scales in evaluation mode.
 *
 * It holds for all inputs and says little about deep networks: the factors are never all reached at once, so the product grows by
 * orders of magnitude with depth.
 *
 * @throws {WeirError} where the model does not say what its feature map is made of
 */
export function lipschitz(stage: string, model: Model, weights: Weights): ByNorm<number> {
  if (model.parts === undefined) {
    throw new WeirError(
      `stage '${stage}' needs a Lipschitz constant, but ${model.name} does not say what its feature map is made of`,
      'take a model of weir, or give yours its `parts`',
    );
  }
  const whole = chain(weights, model.parts);
  return byNorm((norm) => whole[norm] * (1 + ROUNDING));
}

/** One number for each norm. */
export const byNorm = <T>(of: (norm: (typeof norms)[number]) => T): ByNorm<T> => ({
  ...{ l1: of('l1'), l2: of('l2'), linf: of('linf') },
});

function chain(weights: Weights, parts: readonly Part[]): ByNorm<number> {
  const each = parts.map((part) => constants(weights, part));
  return byNorm((norm) => each.reduce((product, one) => product * one[norm], 1));
}

function constants(weights: Weights, part: Part): ByNorm<number> {
  if (part.kind === 'bounded') return part.lipschitz;
  if (part.kind !== 'sum') return layerNorms(weights, part);
  const branches = part.branches.map((branch) => chain(weights, branch));
  return byNorm((norm) => branches.reduce((sum, one) => sum + one[norm], 0));
}

/** Of a linear layer with the factor behind it. */
function layerNorms(weights: Weights, layer: Layer): ByNorm<number> {
  if (layer.kind === 'conv') return convNorms(weights, layer);
  const found = denseNorms(weight<tf.Tensor2D>(weights, layer.kernel));
  const factor = Math.abs(layer.factor ?? 1);
  return byNorm((norm) => found[norm] * factor);
}
