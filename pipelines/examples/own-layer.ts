import * as weir from 'weir-engine';

const { z } = weir;
const { own, residual, dense, gelu } = weir.layers;
const { tf } = weir;

/** Rows of an image as words of a sentence: each looks at all others (Vaswani et al. 2017, one head). */
const attention = (words: number, width: number) => {
  const square = { shape: [width, width], linear: true };
  return own({
    name: 'attention',
    weights: { query: square, key: square, value: square },
    apply(x, { query, key, value }) {
      const rows = (t: weir.tf.Tensor) => tf.reshape(t, [-1, words, width]);
      const by = (w: weir.tf.Tensor) => rows(tf.matMul(tf.reshape(x, [-1, width]), w as weir.tf.Tensor2D));
      const scores = tf.div(tf.matMul(by(query!), by(key!), false, true), Math.sqrt(width));
      return tf.reshape(tf.matMul(tf.softmax(scores), by(value!)), x.shape);
    },
  });
};

/** The words are given their numbers, for attention knows no order. */
const positions = (words: number, width: number) =>
  own({
    name: 'positions',
    weights: { shift: { shape: [words, width], start: weir.normal(0.02) } },
    apply: (x, { shift }) => tf.add(x, shift),
  });

/** A layer of your own in a network of layers: a small transformer that reads digits row by row. */
export default weir.pipeline({
  name: 'own-layer',
  title: 'A small transformer on digits',
  task: { sampleShape: [28, 28], classes: [...'0123456789'] },
  config: { epochs: z.int().min(1).default(4), rate: z.number().positive().default(0.1) },

  wire({ config, seed }) {
    const { train, test } = weir.mnist({ data: 'embedded', seed });
    const model = weir.model({
      name: 'small transformer',
      inputShape: [28, 28],
      layers: [positions(28, 28), residual([attention(28, 28)]), dense(64), gelu(), dense(10)],
    });
    const updates$ = weir
      .loader(train, { epochs: config.epochs, seed, block: 128 })
      .pipe(
        weir.augment([weir.unitScale()], { seed }),
        weir.batch(128),
        weir.train(model, {
          loss: weir.crossEntropy(),
          optimizer: weir.sgd({ rate: config.rate, momentum: 0.9 }),
          seed,
        }),
      );
    const tests$ = updates$.pipe(weir.every({ epochs: 1 }), weir.accuracy(model, test));
    const sigmas$ = updates$.pipe(weir.every({ epochs: 1 }), weir.layerNorms(model));
    return { updates$, tests$, sigmas$ };
  },
});
