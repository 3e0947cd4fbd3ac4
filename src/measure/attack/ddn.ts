import { checkNumbers, checkOptions } from '../../flow/options.js';
import type { StageOperator } from '../../flow/stage.js';
import type { Model } from '../../learn/model/model.js';
import type { LabeledSamples } from '../inputs.js';
import { type AttackedUpdate, type AttackOptions, type AttackState, attackOptionKeys, attackStage } from './attack.js';
import { GROUP, type MinimumNorm, type MinimumNormState, minimumNorm } from './minimum-norm.js';
import { type AttackResult, attackRecord } from './record.js';

export interface DdnOptions extends AttackOptions {
  /** T: steps of every sample. */
  readonly iterations?: number;
  /** γ: part by which the radius shrinks where a point is adversarial, and grows where it is not. */
  readonly gamma?: number;
}

/** γ of the paper. */
export const DDN_GAMMA = 0.05;

/** The standard deviation to which a sample's logits are scaled: about that of MLPs trained on MNIST, where the scale changes little. */
const SPREAD = 5;

/**
 * DDN, "decoupling direction and norm", untargeted, ℓ2 (Rony et al. 2019, algorithm 1): each step goes along the gradient of the
 * cross-entropy, then to a sphere about the sample, whose radius shrinks by γ if the point before was adversarial and else grows. It is
 * white-box: with a hundred gradients a sample its upper bounds of Δx are about those of the Tangent Attack's twenty thousand evaluations.
 *
 *   ε_{t+1} = (1 ∓ γ) ε_t, ε_0 = 1;  x_{t+1} = clip(x + ε_{t+1} δ/‖δ‖),  δ = x_t − x + α_t ∇ℓ/‖∇ℓ‖
 *
 * Schedule and start are those of the authors' code, of adv-lib and of foolbox, lengths in widths of the box. Values are not quantized.
 * Differences: ℓ is the cross-entropy of c·logits, with c such that their standard deviation is 5 at x_t. A network's classes do not
 * depend on the scale of its logits, and neither does the attack: where they are small, the softmax is flat, and the gradient of the plain
 * ℓ leads to a mean of all classes instead of the nearest. Only the direction of ∇ℓ enters, and it is computed so that it does not
 * underflow where the network is sure of the class. In the end the segment to the sample is searched for the boundary.
 *
 * A step is two queries, a forward pass and a product with the Jacobian; confirmation and boundary take 18. A budget ends the steps early.
 *
 * Bound, order, state, failure: those of `attackStage`, and a model without a Jacobian is refused; the engine breathes after each step.
 * A sample on the boundary comes out at a distance near 0. One whose logits or gradient are no finite numbers is `not-a-number`.
 *
 * @example updates$.pipe(atEnd(), ddn(model, test, { samples: 1000, seed }))
 */
export function ddn(
  model: Model,
  samples: LabeledSamples,
  options: DdnOptions,
): StageOperator<AttackedUpdate, AttackResult, AttackState<MinimumNormState>> {
  checkOptions('ddn', options, { iterations: 'optional', gamma: 'optional', ...attackOptionKeys });
  const { iterations = 100, gamma = DDN_GAMMA, seed } = options;
  checkNumbers("stage 'ddn'", { gamma }, { above: 0, below: 1 });
  const group = Math.min(options.samples, GROUP);
  return attackStage('ddn', attackRecord('DDN', 'white-box'), model, samples, { group, ...options }, (setting) =>
    minimumNorm('ddn', setting, { seed, iterations }, decoupled(gamma)),
  );
}

/** Loss and radius of DDN. */
export const decoupled = (gamma: number): MinimumNorm => ({
  loss: scaledCrossEntropy,
  radius: ({ radius, adversarial, width }) => (radius || width) * (adversarial ? 1 - gamma : 1 + gamma),
  project: 'sphere',
});

/** The direction for c·logits, c = SPREAD / (standard deviation of the logits) a constant, so that their scale does not matter. */
function scaledCrossEntropy(logits: Float32Array, own: number, into: Float32Array): number {
  const c = SPREAD / (deviation(logits) || 1);
  return crossEntropyDirection(
    logits.map((value) => c * value),
    own,
    into,
  );
}

/**
 * The gradient of −log softmax(logits)[own], (1 − p_own)(r − e_own) with r the softmax over the other logits, without its first factor.
 *
 * @returns log((1 − p_own)/p_own), which rises with the cross-entropy and does not underflow
 */
export function crossEntropyDirection(logits: Float32Array, own: number, into: Float32Array): number {
  let top = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < logits.length; k++) if (k !== own && logits[k]! > top) top = logits[k]!;
  let sum = 0;
  for (let k = 0; k < logits.length; k++) if (k !== own) sum += Math.exp(logits[k]! - top);
  for (let k = 0; k < logits.length; k++) into[k] = k === own ? -1 : Math.exp(logits[k]! - top) / sum;
  return top + Math.log(sum) - logits[own]!;
}

function deviation(values: Float32Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
