import * as weir from 'weir-engine';

/** An optimizer of one's own: Lion (Chen et al. 2023), whose steps are the signs of a momentum. */
export const lion = (rate: number, beta1 = 0.9, beta2 = 0.99): weir.Optimizer =>
  weir.optimizer({
    name: 'lion',
    rate,
    state: ['momentum'],
    step({ weight, gradient, state: { momentum }, rate }) {
      const { tf } = weir;
      const mixed = (beta: number) => tf.add(tf.mul(momentum, beta), tf.mul(gradient, 1 - beta));
      return { weight: tf.sub(weight, tf.mul(tf.sign(mixed(beta1)), rate)), momentum: mixed(beta2) };
    },
  });
