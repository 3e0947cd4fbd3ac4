import { barlowTwinsLoss } from './barlow-twins.js';
import { batchSpectralShrinkage } from './batch-spectral-shrinkage.js';
import { certificate } from './certificate.js';
import { convSpectralNorm } from './conv-spectral-norm.js';
import type { VectorKind } from './kind.js';
import { logisticReadout } from './logistic-readout.js';
import { metric } from './metric.js';
import { ntXentLoss } from './nt-xent.js';
import { powerIterationTrace } from './power-iteration-trace.js';
import { spectralPenalty } from './spectral-penalty.js';
import { tangentPoint } from './tangent-point.js';

/** Every kind of reference vectors that this version computes. */
export const kinds: readonly VectorKind[] = [
  convSpectralNorm,
  spectralPenalty,
  powerIterationTrace,
  batchSpectralShrinkage,
  certificate,
  metric,
  tangentPoint,
  logisticReadout,
  barlowTwinsLoss,
  ntXentLoss,
];
