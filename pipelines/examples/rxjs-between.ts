import { filter, map, pairwise } from 'rxjs';
import * as weir from 'weir-engine';

const { z } = weir;

/**
 * Operators of RxJS between two of ours: they only have to keep `position`.
 *
 * `tests$` has the gain in accuracy since the test before, `jumps$` the changes of the loss by more than 0.01 from one update to the
 * next. The training never waits for an item that a `filter` dropped.
 */
export default weir.pipeline({
  name: 'rxjs-between',
  title: 'Operators of RxJS between two of ours',
  config: { epochs: z.int().min(1).default(400) },

  wire({ config, seed }) {
    const points = weir.xor({ noise: { std: 0.2 }, seed });
    const model = weir.mlp([2, 8, 2]);

    const updates$ = weir
      .loader(points, { epochs: config.epochs, seed })
      .pipe(
        weir.augment([], { seed }),
        weir.batch(points.size),
        weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: 1, momentum: 0.9 }), seed }),
      );
    const tests$ = updates$.pipe(
      weir.every({ epochs: 20 }),
      weir.accuracy(model, points),
      pairwise(),
      map(([before, test]) => ({ ...test, gain: test.accuracy - before.accuracy })),
    );
    const losses$ = updates$.pipe(map((update) => ({ position: update.position, loss: update.loss() })));
    const jumps$ = losses$.pipe(
      pairwise(),
      map(([before, { position, loss }]) => ({ position, jump: loss - before.loss })),
      filter(({ jump }) => Math.abs(jump) > 0.01),
    );
    return { updates$, tests$, jumps$ };
  },
});
