import { WeirError } from '../../flow/errors.js';
import type { FeatureJacobian, Model } from '../model/model-model.js';

/** How a model gives ∇Φ at a batch with gradients. @throws {WeirError} where it does not */
export function linearized(kind: string, model: Model): NonNullable<FeatureJacobian['at']> {
  const at = model.jacobian?.at;
  if (at !== undefined) return at;
  throw new WeirError(
    `regularizer '${kind}' needs gradients of the Jacobian of the feature map, which ${model.name} does not give`,
    'take an MLP, or another regularizer such as rep-spectral',
  );
}
