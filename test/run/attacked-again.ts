import { map } from 'rxjs';
import * as weir from '../../src/index.js';

/** Flowers by one network with all attacks that keys add and take away: the run of test/run/attacked-again.test.ts. */
export default weir.pipeline({
  name: 'attacked-again',
  config: {
    epochs: weir.z.int().min(1).default(4),
    ...weir.attackKeys({ attacked: 2 }),
    ...weir.whiteBoxKeys({ whitebox: 2 }),
    ...weir.blackBoxKeys({ blackbox: ['hop-skip-jump'] }),
    norms: weir.z.boolean().default(false),
    failAt: weir.z.int().min(0).default(0).describe('the result of the Tangent Attack that fails; 0 for none'),
  },

  async wire({ config, seed }) {
    const flowers = await weir.csv(`${import.meta.dirname}/../../pipelines/examples/iris.csv`, {
      label: 'species',
      box: 'observed',
    });
    const model = weir.mlp([4, 8, 3]);
    const updates$ = weir
      .loader(flowers, { epochs: config.epochs, seed })
      .pipe(
        weir.augment([], { seed }),
        weir.batch(50),
        weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: 0.1 }), seed }),
      );
    const end$ = () => updates$.pipe(weir.atEnd());
    const { attacked, choose, failAt } = config;
    const attack = { samples: attacked, iterations: 1, choose: 'all', seed } as const;
    return {
      updates$,
      ...(config.norms && { sigmas$: updates$.pipe(weir.every({ epochs: 1 }), weir.layerNorms(model)) }),
      attacks$: end$().pipe(
        weir.tangentAttack(model, flowers, attack),
        map((result, i) => {
          if (i + 1 === failAt) throw new Error(`result ${failAt} fails`);
          return result;
        }),
      ),
      ...weir.blackBoxAttacks(end$(), model, flowers, { attacked, blackbox: config.blackbox, choose, seed }),
      ...weir.whiteBoxAttacks(end$(), model, flowers, { ...config, bothSides: false, choose: 'all', seed }),
    };
  },
});
