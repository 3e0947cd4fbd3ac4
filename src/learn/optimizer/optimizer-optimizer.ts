import type { Gradients, Weights } from '../model/model-model.js';
import type { Moment } from './schedule.js';

/** What an update leaves: tensors that belong to the caller. */
export interface Moved {
  readonly weights: Weights;
  /** What the optimizer remembers, by name of the weight. Empty where it remembers nothing. */
  readonly memory: Weights;
}

/** A rule for moving weights against their gradient, as a value: its memory is passed in and out. */
export interface Optimizer {
  readonly name: string;
  /** The learning rate of an update, of weights that have none of their own: for those who look on. */
  rate(at: Moment): number;
  /**
   * One update of every weight that has a gradient; the others stay. It takes all tensors it is given: those that it does not hand back are disposed of.
   *
   * @param memory what the update before left; empty at the first
   */
  move(weights: Weights, gradients: Gradients, memory: Weights, at: Moment): Moved;
}
