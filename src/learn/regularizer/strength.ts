import { WeirError } from '../../flow/errors.js';

/** How strong a regularizer is, and since when. */
export interface Strength {
  /** γ; what it multiplies is said by each kind. */
  readonly gamma: number;
  /** It acts after this many epochs (burn-in): at every update of epoch `from.epoch` + 1 and later. */
  readonly from?: { readonly epoch: number };
}

/** When a regularizer of that strength is on. @throws {WeirError} where γ is no number that could be one */
export function since(kind: string, { gamma, from = { epoch: 0 } }: Strength): (epoch: number) => boolean {
  checkStrength(kind, 'gamma', gamma);
  return (epoch) => gamma > 0 && epoch > from.epoch;
}

/** @throws {WeirError} unless the value is a finite number of at least 0 */
export function checkStrength(kind: string, name: string, value: number): void {
  if (value >= 0 && Number.isFinite(value)) return;
  throw new WeirError(`regularizer '${kind}' was given ${name} = ${value}`, 'give a finite number of at least 0');
}

/** @throws {WeirError} unless the value is a whole number from 1 on */
export function checkCount(kind: string, name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1) return;
  throw new WeirError(`regularizer '${kind}' was given ${name} = ${value}`, 'give a whole number from 1 on');
}
