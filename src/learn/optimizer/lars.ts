import { checkChoice, checkNumbers, checkOptions, type OptionKeys } from '../../flow/options.js';
import { noticeOnce } from '../../flow/terminal.js';
import { tf } from '../../tensorflow/tf.js';
import { length, type Optimizer, optimizer } from './optimizer.js';
import type { OwnRate } from './rates.js';
import type { Schedule } from './schedule.js';

export interface LarsOptions {
  /** Learning rate. */
  readonly rate: number | Schedule;
  /** Learning rates of some weights in the place of `rate`; a weight takes the first that names it. */
  readonly rates?: readonly OwnRate[];
  readonly momentum?: number;
  /** Weight decay λ, coupled. Without it nothing is adapted, unless `adapt` says 'always'. */
  readonly decay?: number;
  /** η, the trust coefficient. */
  readonly trust?: number;
  /** ε, in the divisor of the trust ratio. */
  readonly epsilon?: number;
  /** The weights whose step is adapted: those that 'decayed', or 'always' all. */
  readonly adapt?: 'decayed' | 'always';
  /** Whether weights of one dimension, biases and scales, decay as well. SimCLR and Barlow Twins leave them out, and so unadapted. */
  readonly vectors?: boolean;
}

const optionKeys: OptionKeys<LarsOptions> = {
  rate: 'required',
  rates: 'optional',
  momentum: 'optional',
  decay: 'optional',
  trust: 'optional',
  epsilon: 'optional',
  adapt: 'optional',
  vectors: 'optional',
};

/**
 * LARS (You, Gitman, Ginsburg 2017, algorithm 1), as timm.optim.Lars has it: the gradient of each weight is scaled by its trust ratio
 * r = η‖w‖ / (‖g‖ + λ‖w‖ + ε), 1 where w or g is 0. Then g ← r(g + λw), v ← μv + g, w ← w − rate · v.
 *
 * The rate is outside of the velocity, unlike in the paper. Norms are of a whole weight: of a kernel, of a bias.
 *
 * Memory: the 'velocity' v of every weight.
 *
 * @throws {WeirError} for settings out of range; at the first update, where `rates` names a weight that is not trained
 * @example lars({ rate: warmUp(1000, cosine(0.3, { epochs: 100 })), decay: 1e-6, vectors: false })
 */
export function lars(options: LarsOptions): Optimizer {
  const {
    rate,
    rates,
    momentum = 0.9,
    decay = 0,
    trust = 0.001,
    epsilon = 1e-8,
    adapt = 'decayed',
    vectors = true,
  } = checkOptions('lars', options, optionKeys);
  const where = "optimizer 'lars'";
  checkNumbers(where, { momentum }, { below: 1 });
  checkNumbers(where, { decay, trust, epsilon });
  checkChoice(where, 'adapt', adapt, ['decayed', 'always']);
  checkChoice(where, 'vectors', vectors, [true, false]);
  if (decay === 0 && adapt === 'decayed') {
    noticeOnce("lars without a decay adapts no step, so it is sgd: give a decay, or adapt: 'always'");
  }

  /** The gradient with the decay, scaled by the trust ratio. */
  function adapted(w: tf.Tensor, g: tf.Tensor, lambda: number): tf.Tensor {
    if (lambda === 0 && adapt === 'decayed') return g;
    const [ofW, ofG] = [length(w), length(g)];
    const ratio = tf.div(tf.mul(ofW, trust), tf.add(tf.add(ofG, tf.mul(ofW, lambda)), epsilon));
    const both = tf.logicalAnd(tf.greater(ofW, 0), tf.greater(ofG, 0));
    return tf.mul(tf.add(g, tf.mul(w, lambda)), tf.where(both, ratio, tf.onesLike(ratio)));
  }

  return optimizer({
    name: 'lars',
    rate,
    ...(rates && { rates }),
    state: ['velocity'],
    step({ weight, gradient, state, rate }) {
      const lambda = vectors || weight.rank > 1 ? decay : 0;
      const velocity = tf.add(tf.mul(state.velocity, momentum), adapted(weight, gradient, lambda));
      return { weight: tf.sub(weight, tf.mul(velocity, rate)), velocity };
    },
  });
}
