import * as weir from 'weir-engine';
import { type AttackMethod, tangentAttack, usualBox } from 'weir-engine/attack';
import { gaussianBlur, type OpDefinition, type Recipe } from 'weir-engine/augment';
import { collectReport, type Report, RunFolder } from 'weir-engine/report';
import { type GridOf, sweep } from 'weir-engine/sweep';
import { expectReplay } from 'weir-engine/testing';

// A use of each entry of the package, for its types.

const pipeline = weir.pipeline({
  name: 'entries',
  config: { epochs: weir.z.int().default(2) },
  wire({ config, seed }) {
    const points = weir.xor();
    const model = weir.mlp([2, 4, 2]);
    const updates$ = weir
      .loader(points, { epochs: config.epochs, seed })
      .pipe(
        weir.augment([], { seed }),
        weir.batch(4),
        weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: 1 }), seed }),
      );
    const box = usualBox(undefined);
    return { updates$, attacks$: updates$.pipe(weir.atEnd(), tangentAttack(model, points, { samples: 4, box, seed })) };
  },
});
export default pipeline;

export const random: AttackMethod<number> = {
  start: () => 0,
  *search(_, state) {
    yield state + 1;
  },
  fields: (iterations) => ({ iterations, start: 'none' }),
};
export const recipe: Recipe = [gaussianBlur({ kernel: 3, sigma: [0.1, 2] })];
export const definition: OpDefinition<{ readonly op: 'same' }> = { kind: 'light', prepare: () => () => undefined };
export const grid: GridOf<typeof pipeline> = { epochs: [1, 2] };
export const later = () => sweep<typeof pipeline>({ module: 'entries.ts', grid });
export const read = (path: string): Report => collectReport([RunFolder.open(path)]);
export const replayed = () => expectReplay(weir.batch(2), { input: 'a', output: 'b' });
export const isOurs = (error: unknown): boolean => error instanceof weir.WeirError;
// @ts-expect-error: a key that the config does not have
export const wrong: GridOf<typeof pipeline> = { epoch: [1] };
