import { WeirError } from '../../flow/errors.js';
import { supportsBfloat16 } from './bfloat16.js';
import { attribute } from './device-eager.js';
import { constant, type Raw, run } from './raw.js';

/** What activations and their gradients are kept in. Weights, statistics, sums and losses are float32 either way. */
export type Precision = 'float32' | 'bfloat16';

export const precisions: readonly Precision[] = ['float32', 'bfloat16'];

/** @throws {WeirError} where this device has no bfloat16 */
export function checkPrecision(precision: Precision): void {
  if (precision === 'float32' || supportsBfloat16()) return;
  throw new WeirError(
    "precision 'bfloat16' was asked for, but this device has no instructions for it",
    "leave precision at 'float32'; `weir doctor` lists what the processor has",
  );
}

/** x of type `from` in type `to`; a new tensor. */
export function cast(x: Raw, from: Precision, to: Precision): Raw {
  if (from === to) return run('Identity', [attribute.type('T', from)], [x])[0];
  const attributes = [attribute.type('SrcT', from), attribute.type('DstT', to), attribute.bool('Truncate', false)];
  return run('Cast', attributes, [x])[0];
}

const empties = new Map<Precision, Raw>();

/** No numbers: an optional input that is left out. */
export function nothing(precision: Precision = 'float32'): Raw {
  let empty = empties.get(precision);
  if (empty === undefined) {
    empty = cast(constant('float32', []), 'float32', precision);
    empties.set(precision, empty);
  }
  return empty;
}
