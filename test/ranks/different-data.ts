import * as weir from '../../src/index.js';

const rank = Number(process.env.WEIR_RANK_OF_THIS);

/** A pipeline whose ranks differ: rank 1 has another data set, or data that cannot be read to the end. */
export default weir.pipeline({
  name: 'different-data',
  config: { how: weir.z.enum(['data', 'unread']) },

  wire({ config: { how }, seed }) {
    const size = how === 'data' ? 64 + rank : 64;
    const dataset = {
      name: 'numbers',
      size,
      sampleShape: [2],
      classes: ['odd', 'even'],
      labels: new Uint8Array(size).map((_, i) => i % 2),
      values: new Float32Array(2 * size).fill(1),
    };
    const updates$ = weir.loader(dataset, { epochs: 50, seed, block: 16 }).pipe(
      weir.augment([], { seed }),
      weir.stage<weir.Samples, weir.Samples, null>({
        name: 'read',
        start: () => null,
        next(state, item) {
          if (how === 'unread' && rank === 1 && item.epoch === 3)
            throw new Error('sample 7 of the disk of rank 1 is gone');
          return [state, item];
        },
      }),
      weir.batch(16),
      weir.train(weir.mlp([2, 4, 2]), { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: 0.1 }), seed }),
    );
    return { updates$ };
  },
});
