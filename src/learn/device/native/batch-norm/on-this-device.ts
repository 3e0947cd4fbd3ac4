import { hasFused } from '../fused.js';
import type { Precision } from '../precision.js';
import { needsNative } from '../raw.js';
import type { Normalisations } from './batch-norm.js';
import { composedNormalisations } from './composed.js';
import { fusedNormalisations } from './fused.js';

/** Batch normalisation on this device. Native runtime only. */
export function normalisations(precision: Precision, epsilon: number): Normalisations {
  needsNative('batch normalisation');
  return hasFused() ? fusedNormalisations(precision, epsilon) : composedNormalisations(precision, epsilon);
}
