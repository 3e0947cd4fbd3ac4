import { composedConvolutions } from './composed.js';
import type { Convolutions } from './convolution-convolution.js';
import { fusedConvolutions } from './convolution-fused.js';
import { hasFused } from './fused.js';
import type { Precision } from './native-precision.js';
import { needsNative } from './raw.js';

/** Convolutions on this device. Native runtime only. */
export function convolutions(precision: Precision): Convolutions {
  needsNative('a convolution');
  return hasFused() ? fusedConvolutions(precision) : composedConvolutions(precision);
}
