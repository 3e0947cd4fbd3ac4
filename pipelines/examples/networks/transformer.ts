import * as weir from 'weir-engine';

const { own, residual, dense } = weir.layers;
const { tf } = weir;
type Tensor = weir.tf.Tensor;

/** xW of every word, [n, words, in] to [n, words, out]. */
const byWord = (x: Tensor, w: Tensor) =>
  tf.reshape(tf.matMul(tf.reshape(x, [-1, w.shape[0]!]), w as weir.tf.Tensor2D), [-1, x.shape[1]!, w.shape[1]!]);

const added = (name: string, shape: number[], map: (x: Tensor, shift: Tensor) => Tensor) =>
  own({ name, weights: { shift: { shape, start: weir.normal(0.02) } }, apply: (x, { shift }) => map(x, shift!) });

/** Each word to mean 0 and variance 1 (Ba et al. 2016), with a shift. */
const layerNorm = (width: number) =>
  added('layerNorm', [width], (x, shift) => {
    const { mean, variance } = tf.moments(x, -1, true);
    return tf.add(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5))), shift);
  });

/** Each word looks at all others (Vaswani et al. 2017, one head). */
const attention = (width: number) => {
  const square = { shape: [width, width], linear: true };
  return own({
    name: 'attention',
    weights: { query: square, key: square, value: square },
    apply(x, { query, key, value }) {
      const scores = tf.div(tf.matMul(byWord(x, query!), byWord(x, key!), false, true), Math.sqrt(width));
      return tf.matMul(tf.softmax(scores), byWord(x, value!));
    },
  });
};

/** Two dense layers on each word. */
const forward = (width: number, hidden: number) =>
  own({
    name: 'forward',
    weights: { up: { shape: [width, hidden], linear: true }, down: { shape: [hidden, width], linear: true } },
    apply: (x, { up, down }) => byWord(tf.relu(byWord(x, up!)), down!),
  });

/** A transformer of one block, on sentences of so many words. */
export const transformer = (words: number, width: number, classes: number) =>
  weir.model({
    name: 'small transformer',
    inputShape: [words, width],
    layers: [
      added('positions', [words, width], (x, shift) => tf.add(x, shift)),
      residual([layerNorm(width), attention(width)]),
      residual([layerNorm(width), forward(width, 2 * width)]),
      dense(classes),
    ],
  });
