import { WeirError } from '../../flow/errors.js';
import type { Activation } from './activation-activation.js';
import { gelu } from './gelu.js';
import { relu } from './relu.js';
import { sigmoid } from './sigmoid.js';
import { tanh } from './tanh.js';

/** The activations that a config can name. */
export const activations = { gelu, relu, tanh, sigmoid } as const;

export type ActivationName = keyof typeof activations;

/** The activation of that name. */
export function activationNamed(name: ActivationName): Activation {
  const known: Activation | undefined = activations[name];
  if (known === undefined) {
    throw new WeirError(`there is no activation '${name}'`, `name one of ${Object.keys(activations).join(', ')}`);
  }
  return known;
}
