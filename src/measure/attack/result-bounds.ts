import { WeirError } from '../../flow/errors.js';
import type { Model, Weights } from '../../learn/model/model.js';
import { type Certifier, type CertifierOptions, certifier } from '../certificate/certificate.js';
import { groupRadii } from '../certificate/group-radii.js';
import { byNorm } from '../certificate/lipschitz.js';
import type { CertificateMethod } from '../certificate/record.js';
import type { AttackResult } from './record.js';

/** How the bounds beside an attack are made: the points and steps are those of the local estimate. */
export type BoundsOptions = Pick<CertifierOptions, 'points' | 'steps' | 'methods'>;

/** The result of the sample at that place of its group. */
export interface SlotResult {
  readonly slot: number;
  readonly result: AttackResult;
}

/** Completes the results of samples that ended together, one after another. */
export type Completion = (results: readonly SlotResult[]) => Iterable<AttackResult>;

/**
 * Puts bounds beside the result of an attack on a sample, in ℓ2, the local one with R = Δx; and holds them against each
 * other: an adversarial point nearer than the rigorous bound cannot be, so it ends the run.
 *
 * @returns for the weights under attack what completes its results
 * @throws {WeirError} for a model without parts or without a Jacobian
 */
export function certified(
  stage: string,
  model: Model,
  options: BoundsOptions,
  seed: number,
): (weights: Weights) => Completion {
  const certify = certifier(stage, model, { ...options, seed, local: ['l2'] });
  return (weights) => {
    let boundsOf: Certifier | undefined; // at the first result: the weights' constants may take seconds
    return function* (results) {
      boundsOf ??= certify(weights);
      for (const { result } of results) {
        const { index, label, original, distance } = result;
        const R = Number.isNaN(distance) ? undefined : byNorm(() => distance);
        const { lower, method, local, theta, featureNorm } = boundsOf(original, label, index, R);
        yield inOrder(stage, model, { ...result, lower: lower.l2, method, local: local.l2, theta, featureNorm });
      }
    };
  };
}

/** The same by plain CROWN for a group at once, and by Lemma 1, without the local estimate. */
export function certifiedTogether(stage: string, model: Model, size: number): (weights: Weights) => Completion {
  const certify = certifier(stage, model, { local: [], methods: [] });
  return (weights) => {
    let radiiOf: ReturnType<typeof groupRadii> | null = null;
    let boundsOf: Certifier | undefined;
    return function* (results) {
      if (radiiOf === null) radiiOf = groupRadii(model, weights, size);
      boundsOf ??= certify(weights);
      const lemma1 = results.map(({ result: { original, label, index } }) => boundsOf!(original, label, index));
      const certain = results.flatMap(({ slot, result: { original: x, label, distance } }, at) => {
        if (lemma1[at]!.outcome !== 'certified') return [];
        return { at, slot, x, label, guess: Number.isNaN(distance) ? 2 * lemma1[at]!.lower.l2 : distance / 2 };
      });
      const radii = new Map(radiiOf && [...radiiOf(certain)].map((radius, i) => [certain[i]!.at, radius]));
      for (const [at, { result }] of results.entries()) {
        const { lower, method, theta, featureNorm } = lemma1[at]!;
        const crown = radii.get(at) ?? 0;
        const best = crown > lower.l2 ? { lower: crown, method: 'crown' as const } : { lower: lower.l2, method };
        yield inOrder(stage, model, { ...result, ...best, theta, featureNorm });
      }
    };
  };
}

/** @throws {WeirError} for an adversarial point nearer than the rigorous bound */
function inOrder(stage: string, model: Model, result: AttackResult & Required<Pick<AttackResult, 'lower' | 'method'>>) {
  const { index, distance, lower, method } = result;
  if (distance < lower) throw tooNear(stage, model, index, distance, lower, method);
  return result;
}

function tooNear(
  stage: string,
  model: Model,
  index: number,
  distance: number,
  lower: number,
  method: CertificateMethod,
): WeirError {
  return new WeirError(
    `stage '${stage}': sample ${index} has an adversarial point at a distance of ${distance}, nearer than its certified lower bound ${lower} (by ${method})`,
    `one of the two is wrong: see whether the parts of ${model.name} are what its feature map computes, and what weir doctor says of this machine`,
  );
}
