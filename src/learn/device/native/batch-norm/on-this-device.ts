import { ranks } from '../../cluster/joined.js';
import { hasFused } from '../fused.js';
import type { Precision } from '../precision.js';
import { needsNative } from '../raw.js';
import type { Normalisations } from './batch-norm.js';
import { composedNormalisations } from './composed.js';
import { fusedNormalisations } from './fused.js';
import { synchronisedNormalisations } from './synchronised.js';

/** Batch normalisation on this device, or over all ranks where they were started so. Native runtime only. */
export function normalisations(precision: Precision, epsilon: number): Normalisations {
  needsNative('batch normalisation');
  if (ranks().synchronised) return synchronisedNormalisations(precision, epsilon, ranks());
  return hasFused() ? fusedNormalisations(precision, epsilon) : composedNormalisations(precision, epsilon);
}
