import { checkOptions } from '../../flow/options.js';
import { sgdStep } from '../../tensorflow/ops/fused.js';
import { tf } from '../../tensorflow/tf.js';
import { type Optimizer, type OwnRate, ratesOf, type Schedule, scheduled } from './optimizer.js';

export interface SgdOptions {
  /** Learning rate. */
  readonly rate: number | Schedule;
  /** Learning rates of some weights, such as the readout's, in the place of `rate`; a weight takes the first that names it. */
  readonly rates?: readonly OwnRate[];
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
 * @throws {WeirError} at the first update, where `rates` names a weight that is not trained
 * @example sgd({ rate: 0.1, momentum: 0.9, decay: 1e-4 })
 * @example sgd({ rate: 0.005, rates: [{ weights: [model.readout.name], rate: 0.1 }] }) // a fresh readout on a backbone
 */
export function sgd(options: SgdOptions): Optimizer {
  const {
    rate,
    rates = [],
    momentum = 0,
    decay = 0,
  } = checkOptions(
    'sgd',
    options,
    { rate: 'required', rates: 'optional', momentum: 'optional', decay: 'optional' },
    'ignored',
  );
  const rateOf = ratesOf('sgd', rate, rates);
  return {
    name: 'sgd',
    rate: scheduled(rate),
    move(weights, gradients, memory, at) {
      const rateAt = rateOf([...gradients.keys()], at);
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
        const [next, v] = tf.tidy(() =>
          sgdStep(w, g, before ?? tf.zerosLike(w), { rate: rateAt(name), momentum, decay }),
        );
        moved.set(name, next);
        if (momentum === 0) v.dispose();
        else velocities.set(name, v);
        tf.dispose([w, g, before].filter((tensor) => tensor !== undefined));
      }
      return { weights: moved, memory: velocities };
    },
  };
}
