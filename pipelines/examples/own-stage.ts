import * as weir from 'weir-engine';

const { z } = weir;

/** The loss of an update, smoothed. */
interface Smoothed {
  readonly position: number;
  readonly number: number;
  readonly smoothed: number;
}

/**
 * A stage with state, as a value: the loss as an exponential mean over updates.
 *
 * State: that mean, a number. It is passed in and out, so a snapshot holds it, and a resumed run goes on with the same bits.
 */
const smoothedLoss = (keep: number): weir.Stage<weir.Update, Smoothed, number | null> => ({
  name: 'smoothed loss',
  claims: 'weights', // the next update waits until the loss of this one is read
  start: () => null,
  next(mean, update) {
    if (update.number === 0) return [mean]; // the weights before any update have no loss
    const { position, number } = update;
    const smoothed = keep * (mean ?? update.loss()) + (1 - keep) * update.loss();
    return [smoothed, { position, number, smoothed }];
  },
});

/** `weir.stage` lifts the value to an operator. */
export default weir.pipeline({
  name: 'own-stage',
  title: 'A stage with state of its own',
  config: { epochs: z.int().min(1).default(400), keep: z.number().min(0).lt(1).default(0.9) },

  wire({ config, seed }) {
    const points = weir.xor();
    const model = weir.mlp([2, 8, 2]);

    const updates$ = weir
      .loader(points, { epochs: config.epochs, seed })
      .pipe(
        weir.augment([], { seed }),
        weir.batch(points.size),
        weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: 1, momentum: 0.9 }), seed }),
      );
    const smoothed$ = updates$.pipe(weir.stage(smoothedLoss(config.keep)));
    return { updates$, smoothed$ };
  },
});
