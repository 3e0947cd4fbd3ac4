import * as weir from 'weir-engine';
import { descent } from './attacks/descent.js';

const { z } = weir;

/** An attack of your own, `attacks/descent.ts`, beside the Tangent Attack on the same samples. */
export default weir.pipeline({
  name: 'own-attack',
  title: 'An attack of your own',
  config: { epochs: z.int().min(1).default(200), attacked: z.int().min(1).default(10) },

  wire({ config, seed }) {
    const points = weir.xor({ noise: { perCorner: 20 } });
    const model = weir.mlp([2, 16, 2]);
    const attack = { samples: config.attacked, box: { min: -2, max: 2 }, seed };

    const updates$ = weir
      .loader(points, { epochs: config.epochs, seed })
      .pipe(
        weir.augment([], { seed }),
        weir.batch(20),
        weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: 0.5, momentum: 0.9 }), seed }),
      );
    const tests$ = updates$.pipe(weir.every({ epochs: 10 }), weir.accuracy(model, points));
    const descents$ = updates$.pipe(weir.atEnd(), descent(model, points, attack));
    const attacks$ = updates$.pipe(weir.atEnd(), weir.tangentAttack(model, points, { ...attack, iterations: 10 }));
    return { updates$, tests$, descents$, attacks$ };
  },
});
