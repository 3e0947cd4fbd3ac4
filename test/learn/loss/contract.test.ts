import { describe, test } from 'vitest';
import { loss } from '../../../src/learn/loss/automatic-loss.js';
import { crossEntropy } from '../../../src/learn/loss/cross-entropy.js';
import type { Loss, ViewsLoss } from '../../../src/learn/loss/loss.js';
import { barlowTwins, ntXent } from '../../../src/learn/loss/views.js';
import { lossTests } from '../../../src/run/testing/loss-tests.js';
import { tf } from '../../../src/tensorflow/tf.js';

/** Every loss: a new one is a row. */
const losses: Record<string, () => Loss | ViewsLoss> = {
  'cross-entropy': crossEntropy,
  'smoothed cross-entropy': () => crossEntropy({ smoothing: 0.1 }),
  'Barlow Twins': () => barlowTwins({ lambda: 0.1 }),
  'NT-Xent': ntXent,
  'by differentiation': () =>
    loss('squares', (logits, labels) => {
      const hot = tf.oneHot(labels, logits.shape[1]);
      return tf.mean(tf.sum(tf.square(tf.sub(logits, hot)), 1));
    }),
};

describe.each(Object.entries(losses))('%s', (_, make) => {
  for (const { name, run } of lossTests({ make })) test(name, run);
});
