import * as weir from 'weir-engine';

/** A loss of one's own: the focal loss (Lin et al. 2017), −mean (1 − p)^γ log p. */
export const focal = (gamma: number): weir.Loss =>
  weir.loss('focal', (logits, labels) => {
    const { tf } = weir;
    const logOfLabel = tf.sum(tf.mul(tf.logSoftmax(logits), tf.oneHot(labels, logits.shape[1])), 1);
    return tf.neg(tf.mean(tf.mul(tf.pow(tf.sub(1, tf.exp(logOfLabel)), gamma), logOfLabel)));
  });
