import * as weir from 'weir-engine';

const { z } = weir;

/** The record of the measurement: page, terminal, report, `/metrics`, TensorBoard and tables read nothing else of it. */
const weightsRecord = weir.record({
  name: 'weights',
  role: 'measurement',
  fields: {
    largest: weir.quantity({ label: 'largest weight', scale: 'log' }),
    small: weir.quantity({ label: 'weights below 0.1', unit: 'fraction' }),
  },
});

type WeightSizes = weir.Positioned & Record<'number' | 'epoch' | 'largest' | 'small', number>;

/** A measurement of your own: a stage with a record. State: none. It claims the weights, so that they stand still while it reads. */
export const weightSizes = (): weir.Stage<weir.Update, WeightSizes, null> => ({
  name: 'weight sizes',
  record: weightsRecord,
  claims: 'weights',
  start: () => null,
  next(_, { position, number, epoch, weights }) {
    const sizes = [...weights.values()].flatMap((tensor) => Array.from(tensor.dataSync(), Math.abs));
    const small = sizes.filter((size) => size < 0.1).length / sizes.length;
    return [null, { position, number, epoch, largest: Math.max(...sizes), small }];
  },
});

/** Two networks whose weights are compared, without weight decay and with it. */
export default weir.pipeline({
  name: 'own-measurement',
  title: 'The sizes of weights, measured while a network learns',
  config: { epochs: z.int().min(1).default(400), decays: z.array(z.number().min(0)).default([0, 0.0001]) },

  networks: ({ decays }, seed) =>
    decays.map((decay, i) => ({ name: `decay-${i}`, regularizer: `weight decay ${decay}`, seed, decay })),

  wire({ config, network, seed }) {
    const points = weir.xor();
    const model = weir.mlp([2, 8, 2]);
    const optimizer = weir.sgd({ rate: 1, momentum: 0.9, decay: network.decay });

    const updates$ = weir
      .loader(points, { epochs: config.epochs, seed })
      .pipe(
        weir.augment([], { seed }),
        weir.batch(points.size),
        weir.train(model, { loss: weir.crossEntropy(), optimizer, seed }),
      );
    const tests$ = updates$.pipe(weir.every({ epochs: 20 }), weir.accuracy(model, points));
    const weights$ = updates$.pipe(weir.every({ epochs: 20 }), weir.stage(weightSizes()));
    return { updates$, tests$, weights$ };
  },
});
