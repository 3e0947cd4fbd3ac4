import * as weir from 'weir-engine';
import { focal } from './focal.js';
import { lion } from './lion.js';
import { network } from './network.js';
import { orthogonal } from './orthogonal.js';
import { path } from './path.js';
import { speckle } from './speckle.js';
import { stripes } from './stripes.js';

const { z } = weir;

/** An experiment of which every part is one's own. */
export default weir.pipeline({
  name: 'stripes',
  title: 'Lying and standing stripes',
  config: { epochs: z.int().min(1).default(40), gamma: z.number().min(0).default(0.01) },

  wire({ config, seed }) {
    const { train, test } = weir.split(stripes(320), { test: 0.25, seed });
    const model = network(4);
    const loss = focal(2);
    const updates$ = weir
      .loader(train, { epochs: config.epochs, seed, block: 20 })
      .pipe(
        weir.augment([speckle({ part: 0.2 }), weir.unitScale()], { seed, threads: 2 }),
        weir.batch(24),
        weir.train(model, { loss, optimizer: lion(0.002), regularizer: orthogonal(model, config.gamma), seed }),
      );
    const tests$ = updates$.pipe(weir.every({ epochs: 1 }), weir.accuracy(model, test, { loss }));
    const paths$ = updates$.pipe(weir.every({ updates: 2 }), weir.stage(path()));
    const attacks$ = updates$.pipe(weir.atEnd(), weir.tangentAttack(model, test, { samples: 8, iterations: 5, seed }));
    return { updates$, tests$, paths$, attacks$ };
  },
});
