import { map } from 'rxjs';
import * as weir from '../../src/index.js';

/** The record of a user's own attack on one sample. */
export const fgsmRecord = weir.record({
  name: 'FGSM',
  role: 'attack',
  total: 'total',
  fields: {
    index: weir.key(weir.z.int()),
    outcome: weir.category(['found', 'failed']),
    distance: weir.quantity({ unit: 'input units', shown: 'histogram', better: 'higher', headline: true }),
    total: weir.z.int(),
  },
});

type Fgsm = {
  readonly position: number;
  readonly number: number;
  readonly epoch: number;
  readonly index: number;
  readonly outcome: 'found' | 'failed';
  readonly distance: number;
  readonly total: number;
};

/** An attack of the user's own, known by its record alone: distances are a function of the index; with `odd`, one of them is a word. */
const fgsm = (samples: number, odd: boolean): weir.Stage<weir.Update, Fgsm, null> => ({
  name: 'FGSM',
  claims: 'weights',
  record: fgsmRecord,
  start: () => null,
  *next(_, { position, number, epoch }) {
    for (let index = 0; index < samples; index++) {
      const found = index % 4 !== 3;
      yield [
        null,
        {
          position,
          number,
          epoch,
          index,
          outcome: found ? 'found' : 'failed',
          distance: odd && index === 2 ? ('far' as unknown as number) : found ? 0.25 * (index + 1) : Number.NaN,
          total: samples,
        },
      ];
    }
  },
});

const driftRecord = weir.record({
  name: 'drift',
  role: 'measurement',
  fields: { drift: weir.quantity({ unit: 'input units', better: 'lower', headline: true }) },
});

/** A pipeline with measurements of the user's own: a stage with a schema, a stream of plain operators with one, and one without. */
export default weir.pipeline({
  name: 'own-measurement',
  config: { epochs: weir.z.int().default(4), samples: weir.z.int().default(8), odd: weir.z.boolean().default(false) },
  wire({ config, seed }) {
    const points = weir.xor();
    const model = weir.mlp([2, 8, 2]);
    const updates$ = weir
      .loader(points, { epochs: config.epochs, seed })
      .pipe(
        weir.augment([], { seed }),
        weir.batch(2),
        weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: 0.5 }), seed }),
      );
    const tests$ = updates$.pipe(weir.every({ epochs: 1 }), weir.accuracy(model, points));
    const fgsm$ = updates$.pipe(weir.atEnd(), weir.stage(fgsm(config.samples, config.odd)));
    const drift$ = updates$.pipe(
      weir.every({ epochs: 2 }),
      map(({ position, number, epoch }) => ({ position, number, epoch, drift: 1 / (1 + number) })),
      weir.recorded(driftRecord),
    );
    const plain$ = updates$.pipe(
      weir.every({ epochs: 2 }),
      map(({ position, number, epoch }) => ({ position, number, epoch, warmth: number / 2, note: 'n' })),
    );
    return { updates$, tests$, fgsm$, drift$, plain$ };
  },
});
