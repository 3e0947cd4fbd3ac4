import { checkNumbers, checkOptions, type OptionKeys } from '../../flow/options.js';
import { tf } from '../../tensorflow/tf.js';
import { type Optimizer, optimizer } from './optimizer.js';
import type { OwnRate } from './rates.js';
import type { Schedule } from './schedule.js';

export interface AdamOptions {
  /** Learning rate; PyTorch's default is 0.001. */
  readonly rate: number | Schedule;
  /** Learning rates of some weights in the place of `rate`; a weight takes the first that names it. */
  readonly rates?: readonly OwnRate[];
  /** β₁, the part of the mean gradient that stays at an update. */
  readonly beta1?: number;
  /** β₂, the part of the mean squared gradient that stays at an update. */
  readonly beta2?: number;
  /** ε above 0, added to the root of the mean squared gradient. */
  readonly epsilon?: number;
  /** Weight decay: of `adam` added to the gradient, by default 0; of `adamw` decoupled from it, by default 0.01. */
  readonly decay?: number;
}

const optionKeys: OptionKeys<AdamOptions> = {
  rate: 'required',
  rates: 'optional',
  beta1: 'optional',
  beta2: 'optional',
  epsilon: 'optional',
  decay: 'optional',
};

/**
 * Adam (Kingma and Ba 2015, algorithm 1), as torch.optim.Adam has it: g ← g + decay · w, m ← β₁m + (1 − β₁)g,
 * v ← β₂v + (1 − β₂)g², w ← w − rate / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε) at update t.
 *
 * Memory: 'mean' m and 'square' v of every weight. Not offered: AMSGrad.
 *
 * @throws {WeirError} for settings out of range; at the first update, where `rates` names a weight that is not trained
 * @example adam({ rate: 1e-3 })
 */
export const adam = (options: AdamOptions): Optimizer => make('adam', options, 0, false);

/**
 * AdamW (Loshchilov and Hutter 2019, algorithm 2), as torch.optim.AdamW has it: Adam, whose weight decay is no part of the gradient:
 * w ← (1 − rate · decay) · w first. Biases and scales decay too, as in PyTorch.
 *
 * Memory: as `adam`.
 *
 * @throws {WeirError} as `adam` does
 * @example adamw({ rate: warmUp(500, cosine(1e-3, { epochs: 100 })), decay: 0.05 })
 */
export const adamw = (options: AdamOptions): Optimizer => make('adamw', options, 0.01, true);

function make(name: string, options: AdamOptions, usualDecay: number, decoupled: boolean): Optimizer {
  const {
    rate,
    rates,
    beta1 = 0.9,
    beta2 = 0.999,
    epsilon = 1e-8,
    decay = usualDecay,
  } = checkOptions(name, options, optionKeys);
  checkNumbers(`optimizer '${name}'`, { decay });
  checkNumbers(`optimizer '${name}'`, { beta1, beta2 }, { below: 1 });
  checkNumbers(`optimizer '${name}'`, { epsilon }, { above: 0 }); // a weight without a gradient would be 0 / 0
  return optimizer({
    name,
    rate,
    ...(rates && { rates }),
    state: ['mean', 'square'],
    step({ weight: w, gradient, state, rate, at: { number: t } }) {
      const g = decay > 0 && !decoupled ? tf.add(gradient, tf.mul(w, decay)) : gradient;
      const mean = tf.add(tf.mul(state.mean, beta1), tf.mul(g, 1 - beta1));
      const square = tf.add(tf.mul(state.square, beta2), tf.mul(tf.square(g), 1 - beta2));
      // numerator and denominator times √(1 − β₂ᵗ): one pass less
      const correction = Math.sqrt(1 - beta2 ** t);
      const root = tf.add(tf.sqrt(square), epsilon * correction);
      const decayed = decay > 0 && decoupled ? tf.mul(w, 1 - rate * decay) : w;
      return {
        weight: tf.sub(decayed, tf.mul(tf.div(mean, root), (rate * correction) / (1 - beta1 ** t))),
        mean,
        square,
      };
    },
  });
}
