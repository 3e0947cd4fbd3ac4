import { record, z } from '../../storage/record.js';
import type { LogLine } from '../log.js';

/** The terms of lemma 1's bound, for some samples at one moment of the training. */
export interface Track {
  readonly number: number;
  readonly epoch: number;
  readonly samples: readonly TrackedSample[];
}

export interface TrackedSample {
  readonly index: number;
  readonly label: number;
  /** θ_x, from −1 to 1; NaN where Φ(x) is 0 or two rows of the readout are the same. */
  readonly theta: number;
  /** ‖Φ(x)‖₂ */
  readonly featureNorm: number;
  /** Cross-entropy, in nats. */
  readonly loss: number;
}

/** The record of a track. */
export const trackRecord = record({
  name: 'tracking',
  role: 'measurement',
  fields: {
    samples: z.array(
      z.object({ index: z.int(), label: z.int(), theta: z.number(), featureNorm: z.number(), loss: z.number() }),
    ),
  },
});

export const trackIn = (line: LogLine): Track => ({
  number: Number(line.number),
  epoch: Number(line.epoch),
  samples: line.samples as unknown as readonly TrackedSample[],
});
