import type { Random } from '../../../core/seed.js';

/** An op as data: its name and options. A recipe is a list of them, and crosses to worker threads as it is. */
export interface OpData {
  readonly op: string;
}

/** Changes one sample in place. `random()` starts this op's own random numbers for this sample, epoch and view. */
export type Apply = (values: Float32Array, random: () => Random) => void;

/** What an op's name stands for. */
export interface OpDefinition<O extends OpData> {
  /**
   * What the op does with values.
   * light: each depends on itself and its channel alone, and on nothing random, so no worker is worth it.
   * moving: they change places, or zeros come in; bytes stay bytes. free: anything.
   */
  readonly kind: 'light' | 'moving' | 'free';
  /** Checks the options against the shape of a sample ([height, width, channels] for images), and prepares for many samples. */
  prepare(op: O, shape: readonly number[]): Apply;
}
