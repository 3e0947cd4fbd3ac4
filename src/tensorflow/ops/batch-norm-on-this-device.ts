import { ranks } from '../collectives/joined.js';
import type { Normalizations } from './batch-norm-batch-norm.js';
import { composedNormalizations } from './batch-norm-composed.js';
import { fusedNormalizations } from './batch-norm-fused.js';
import { hasFused } from './fused.js';
import type { Precision } from './native-precision.js';
import { needsNative } from './raw.js';
import { synchronizedNormalizations } from './synchronized.js';

/** Batch normalization on this device, or over all ranks where they were started so. Native runtime only. */
export function normalizations(precision: Precision, epsilon: number): Normalizations {
  needsNative('batch normalization');
  if (ranks().synchronized) return synchronizedNormalizations(precision, epsilon, ranks());
  return hasFused() ? fusedNormalizations(precision, epsilon) : composedNormalizations(precision, epsilon);
}
