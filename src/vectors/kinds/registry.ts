import { certificate, metric, tangentPoint } from './geometry.js';
import type { VectorKind } from './kind.js';
import { logisticReadout } from './logistic-readout.js';
import { barlowTwinsLoss, ntXentLoss } from './losses.js';
import { batchSpectralShrinkage, convSpectralNorm, powerIterationTrace, spectralValue } from './spectral.js';

/** Every kind of reference vectors that this version computes. */
export const kinds: readonly VectorKind[] = [
  convSpectralNorm,
  spectralValue,
  powerIterationTrace,
  batchSpectralShrinkage,
  certificate,
  metric,
  tangentPoint,
  logisticReadout,
  barlowTwinsLoss,
  ntXentLoss,
];
