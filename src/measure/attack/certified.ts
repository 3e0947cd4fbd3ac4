import { WeirError } from '../../flow/errors.js';
import type { Model, Weights } from '../../learn/model/model-model.js';
import { byNorm } from '../certificate/certificate-lipschitz.js';
import { type Certifier, type CertifierOptions, certifier } from '../certificate/certifier.js';
import type { AttackResult } from './record.js';

/** How the local estimate beside an attack is made. */
export type BoundsOptions = Pick<CertifierOptions, 'points' | 'steps'>;

/**
 * Puts Lemma 1's bounds beside what the attack found on a sample, in ℓ2, the local one with R = Δx; and holds them against each
 * other: an adversarial point nearer than the rigorous bound cannot be, so it ends the run.
 *
 * @returns for the weights under attack what completes one result after another
 * @throws {WeirError} for a model without parts or without a Jacobian
 */
export function certified(
  model: Model,
  options: BoundsOptions,
  seed: number,
): (weights: Weights) => (result: AttackResult) => AttackResult {
  const certify = certifier('tangent attack', model, { ...options, seed, local: ['l2'] });
  return (weights) => {
    let boundsOf: Certifier | undefined; // at the first result: the weights' constants may take seconds
    return (result) => {
      boundsOf ??= certify(weights);
      const { index, label, original, distance } = result;
      const found = !Number.isNaN(distance);
      const R = found ? byNorm(() => distance) : undefined;
      const { lower, local, theta, featureNorm } = boundsOf(original, label, index, R);
      if (found && distance < lower.l2) throw tooNear(model, index, distance, lower.l2);
      return { ...result, lower: lower.l2, local: local.l2, theta, featureNorm };
    };
  };
}

const tooNear = (model: Model, index: number, distance: number, lower: number): WeirError =>
  new WeirError(
    `stage 'tangent attack': sample ${index} has an adversarial point at a distance of ${distance}, nearer than its certified lower bound ${lower}`,
    `one of the two is wrong: see whether the parts of ${model.name} are what its feature map computes, and what weir doctor says of this machine`,
  );
