import { sgdStep } from '../device/native/fused.js';
import { tf } from '../device/tf.js';
import type { Optimiser } from './optimiser.js';
import { constant, type Schedule } from './schedule.js';

export interface SgdOptions {
  /** Learning rate. */
  readonly rate: number | Schedule;
  readonly momentum?: number;
  /** Weight decay, coupled: added to the gradient of every weight, biases included. */
  readonly decay?: number;
}

/**
 * Stochastic gradient descent with momentum, in PyTorch's convention: g ← g + decay · w, v ← μv + g (v = g at the first
 * update), w ← w − rate · v. No dampening, no Nesterov.
 *
 * Memory: the velocity v of every weight; none without momentum.
 *
 * @example sgd({ rate: 0.1, momentum: 0.9, decay: 1e-4 })
 */
export function sgd({ rate, momentum = 0, decay = 0 }: SgdOptions): Optimiser {
  const rateAt = typeof rate === 'number' ? constant(rate) : rate;
  return {
    name: 'sgd',
    move(weights, gradients, memory, at) {
      const lr = rateAt(at);
      const moved = new Map<string, tf.Tensor>();
      const velocities = new Map<string, tf.Tensor>();
      for (const [name, w] of weights) {
        const g = gradients.get(name);
        if (g === undefined) {
          moved.set(name, w); // a running statistic
          continue;
        }
        const before = memory.get(name);
        // μ · 0 + g is g, to the bit: the first update needs no rule of its own
        const [next, v] = tf.tidy(() => sgdStep(w, g, before ?? tf.zerosLike(w), { rate: lr, momentum, decay }));
        moved.set(name, next);
        if (momentum === 0) v.dispose();
        else velocities.set(name, v);
        tf.dispose([w, g, before].filter((tensor) => tensor !== undefined));
      }
      return { weights: moved, memory: velocities };
    },
  };
}
