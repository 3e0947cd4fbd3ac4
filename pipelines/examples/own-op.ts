import * as weir from 'weir-engine';
import { randomErasing } from './ops/random-erasing.js';

const { z } = weir;

/** An augmentation op of your own: `ops/random-erasing.ts` defines it, and worker threads import it from there. */
export default weir.pipeline({
  name: 'own-op',
  title: 'An augmentation op of your own',
  config: { epochs: z.int().min(1).default(2), size: z.int().min(1).max(28).default(8) },

  wire({ config, seed }) {
    const { train, test } = weir.mnist({ seed });
    const model = weir.mlp([784, 64, 10]);

    const updates$ = weir
      .loader(train, { epochs: config.epochs, seed })
      .pipe(
        weir.augment([randomErasing({ size: config.size }), weir.unitScale()], { seed, threads: 2 }),
        weir.batch(500),
        weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: 0.5, momentum: 0.9 }), seed }),
      );
    const tests$ = updates$.pipe(weir.every({ epochs: 1 }), weir.accuracy(model, test));
    return { updates$, tests$ };
  },
});
