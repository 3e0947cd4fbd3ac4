import { WeirError } from '../../flow/errors.js';
import { cpuFeatures } from '../install/release.js';
import { runtime } from '../tf.js';
import { attribute, constant, type Raw, run } from './eager.js';

/** Whether bfloat16 is fast here: with instructions for it (avx512_bf16, amx_bf16, Arm's bf16), or on a GPU. */
export function supportsBfloat16(): boolean {
  const { kind, device } = runtime();
  if (kind !== 'native') return false;
  return device === 'GPU' || cpuFeatures().some((name) => ['avx512_bf16', 'amx_bf16', 'bf16'].includes(name));
}

/** The type of activations and their gradients. Weights, statistics, sums and losses are float32 either way. */
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

/** An empty tensor, in the place of an optional input. */
export function nothing(precision: Precision = 'float32'): Raw {
  let empty = empties.get(precision);
  if (empty === undefined) {
    empty = cast(constant('float32', []), 'float32', precision);
    empties.set(precision, empty);
  }
  return empty;
}
