import { quantity, record, z } from '../../storage/record.js';
import type { LogLine } from '../log.js';

/** The readout's weight vectors beside the features of their classes, at one moment of the training. */
export interface Alignment {
  readonly number: number;
  readonly epoch: number;
  /** Mean cross-entropy over the samples, in nats. */
  readonly loss: number;
  /** W_k, [classes][width]. */
  readonly weights: readonly (readonly number[])[];
  /** z_k, the mean of Φ(x) over the samples of class k, [classes][width]. */
  readonly features: readonly (readonly number[])[];
  /** cos(W_k, z_k) per class: lemma 2 says that they go to 1. */
  readonly cosines: readonly number[];
  /** Per class c, θ at z_c: cos(W_c − W_k, z_c), the smallest over k. */
  readonly thetas: readonly number[];
  /** The limits of lemma 3, where the z are a simplex: (1 − z_k·z_c) / ‖z_c − z_k‖, the smallest over k (A.16). */
  readonly thetaLimits: readonly number[];
}

const rows = z.array(z.array(z.number()));

/** The record of an alignment. */
export const alignmentRecord = record({
  name: 'alignment',
  role: 'measurement',
  fields: {
    loss: quantity({ scale: 'log', better: 'lower', headline: true }),
    weights: rows,
    features: rows,
    cosines: z.array(z.number()),
    thetas: z.array(z.number()),
    thetaLimits: z.array(z.number()),
  },
});

export const alignmentIn = (line: LogLine): Alignment => line as unknown as Alignment;
