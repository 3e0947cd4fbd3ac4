import { appendFileSync } from 'node:fs';
import { tap } from 'rxjs';
import * as weir from '../../src/index.js';

const wait = new Int32Array(new SharedArrayBuffer(4));

/** A pipeline for tests of sweeps: XOR under each regularizer. The file that TRAINED names gets a line for each update of each network. */
export default weir.pipeline({
  name: 'regularized',
  config: {
    epochs: weir.z.int().min(1).default(12),
    rate: weir.z.number().positive().default(0.1),
    pause: weir.z.int().min(0).default(0).describe('milliseconds that are added to an update'),
    ...weir.regularizerKeys(weir.spectralKinds, { regularizers: ['none', 'rep-spectral'], gamma: 0.01, burnIn: 4 }),
    seeds: weir.z.int().min(1).default(1),
  },
  networks: (config, seed) => weir.eachRegularizer({ ...config, seed }),

  wire({ config, network, seed }) {
    const model = weir.mlp([2, 4, 2], { activation: 'gelu' });
    const regularizer = weir.regularizer(network.regularizer, model, {
      gamma: weir.gammaOf(config, network.regularizer),
      from: { epoch: config.burnIn },
      seed,
    });
    const data = weir.xor({ seed });
    const updates$ = weir.loader(data, { epochs: config.epochs, seed }).pipe(
      weir.augment([], { seed }),
      weir.batch(4),
      weir.stage<weir.Samples, weir.Samples, null>({
        name: 'pause',
        start: () => null,
        next(state, item) {
          Atomics.wait(wait, 0, 0, config.pause);
          return [state, item];
        },
      }),
      weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: config.rate }), regularizer, seed }),
    );
    const ticks$ = updates$.pipe(
      weir.every({ updates: config.tickEvery, from: { epoch: config.burnIn } }),
      weir.spectralTick(regularizer),
    );
    const tests$ = updates$.pipe(weir.every({ epochs: 1 }), weir.accuracy(model, data));
    const attacks$ = updates$.pipe(
      weir.atEnd(),
      weir.tangentAttack(model, data, { samples: 4, iterations: 2, box: { min: -2, max: 2 }, seed }),
    );
    const counted = ({ number }: weir.Update): void => {
      if (process.env.TRAINED && number > 0) appendFileSync(process.env.TRAINED, `${network.name} ${seed}\n`);
    };
    return { updates$: updates$.pipe(tap(counted)), ticks$, tests$, attacks$ };
  },
});
