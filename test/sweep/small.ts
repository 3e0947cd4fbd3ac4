import * as weir from '../../src/index.js';

const wait = new Int32Array(new SharedArrayBuffer(4));

/** A pipeline for tests of sweeps: XOR on a few weights, with updates of a given duration. */
export default weir.pipeline({
  name: 'small',
  config: {
    epochs: weir.z.int().min(1).default(60),
    rate: weir.z.number().positive().default(0.1).describe('learning rate'),
    pause: weir.z.int().min(0).default(10).describe('milliseconds that are added to an update'),
    fails: weir.z.boolean().default(false),
    hangs: weir.z.boolean().default(false).describe('waits for 15 minutes at its first update'),
    kinds: weir.z.array(weir.z.enum(['a', 'b'])).default(['a']),
  },

  wire({ config, seed }) {
    const model = weir.mlp([2, 4, 2], { activation: 'gelu' });
    const updates$ = weir.loader(weir.xor({ seed }), { epochs: config.epochs, seed }).pipe(
      weir.augment([], { seed }),
      weir.batch(4),
      weir.stage<weir.Samples, weir.Samples, null>({
        name: 'pause',
        start: () => null,
        next(state, item) {
          const half = item.position > 2 * config.epochs;
          if (config.fails && half) throw new Error('this job was told to fail');
          Atomics.wait(wait, 0, 0, config.hangs ? 900_000 : config.pause);
          return [state, item];
        },
      }),
      weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: config.rate }), seed }),
    );
    return { updates$ };
  },
});
