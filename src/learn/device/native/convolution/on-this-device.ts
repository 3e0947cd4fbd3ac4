import { hasFused } from '../fused.js';
import type { Precision } from '../precision.js';
import { needsNative } from '../raw.js';
import { composedConvolutions } from './composed.js';
import type { Convolutions } from './convolution.js';
import { fusedConvolutions } from './fused.js';

/** Convolutions on this device. Native runtime only. */
export function convolutions(precision: Precision): Convolutions {
  needsNative('a convolution');
  return hasFused() ? fusedConvolutions(precision) : composedConvolutions(precision);
}
