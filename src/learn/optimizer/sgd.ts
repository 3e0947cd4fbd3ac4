import { WeirError } from '../../flow/errors.js';
import { checkChoice, checkNumbers, checkOptions, type OptionKeys } from '../../flow/options.js';
import { sgdStep } from '../../tensorflow/ops/fused.js';
import { tf } from '../../tensorflow/tf.js';
import { type Optimizer, optimizer } from './optimizer.js';
import type { OwnRate } from './rates.js';
import type { Schedule } from './schedule.js';

export interface SgdOptions {
  /** Learning rate. */
  readonly rate: number | Schedule;
  /** Learning rates of some weights, such as the readout's, in the place of `rate`; a weight takes the first that names it. */
  readonly rates?: readonly OwnRate[];
  readonly momentum?: number;
  /** Looks ahead along the velocity (Nesterov); it needs a momentum. By default off. */
  readonly nesterov?: boolean;
  /** Weight decay, coupled: added to the gradient of every weight, biases included. */
  readonly decay?: number;
}

const optionKeys: OptionKeys<SgdOptions> = {
  rate: 'required',
  rates: 'optional',
  momentum: 'optional',
  nesterov: 'optional',
  decay: 'optional',
};

/**
 * Stochastic gradient descent with momentum, as torch.optim.SGD has it: g ← g + decay · w, v ← μv + g (v = g at the first update),
 * w ← w − rate · v; with Nesterov's momentum w ← w − rate · (g + μv). No dampening.
 *
 * Memory: the 'velocity' v of every weight; none without momentum.
 *
 * @throws {WeirError} for settings out of range; at the first update, where `rates` names a weight that is not trained
 * @example sgd({ rate: 0.1, momentum: 0.9, decay: 1e-4 })
 * @example sgd({ rate: 0.005, rates: [{ weights: [model.readout.name], rate: 0.1 }] }) // a fresh readout on a backbone
 */
export function sgd(options: SgdOptions): Optimizer {
  const { rate, rates, momentum = 0, nesterov = false, decay = 0 } = checkOptions('sgd', options, optionKeys);
  checkNumbers("optimizer 'sgd'", { momentum }, { below: 1 });
  checkNumbers("optimizer 'sgd'", { decay });
  checkChoice("optimizer 'sgd'", 'nesterov', nesterov, [true, false]);
  if (nesterov && momentum === 0) {
    throw new WeirError("optimizer 'sgd' was given nesterov without a momentum", 'give one, such as momentum: 0.9');
  }
  const groups = { name: 'sgd', rate, ...(rates && { rates }) };
  if (momentum === 0) {
    return optimizer({
      ...groups,
      step: ({ weight, gradient, rate }) => ({
        weight: sgdStep(weight, gradient, tf.zerosLike(weight), { rate, momentum, decay })[0],
      }),
    });
  }
  return optimizer({
    ...groups,
    state: ['velocity'],
    step({ weight, gradient, state, rate }) {
      // μ · 0 + g is g, to the bit: the first update needs no rule of its own
      const settings = { rate, momentum, decay };
      const [next, velocity] = sgdStep(weight, gradient, state.velocity, settings);
      // g + μv is the velocity after one more step from v
      return { weight: nesterov ? sgdStep(weight, gradient, velocity, settings)[0] : next, velocity };
    },
  });
}
