import { readFileSync } from 'node:fs';
import { type Case, refused, right, succeeded, told, type World } from '../case.js';

/** A small network on noisy XOR whose readout is fitted anew at the end, and attacked. */
const refitted = `
export default weir.pipeline({
  name: 'refitted',
  config: { epochs: weir.z.int().default(2), from: weir.z.string().default(''), fit: weir.z.enum(['scikit-learn', 'converged']).default('scikit-learn') },
  wire({ config, seed }) {
    const points = weir.xor({ noise: { std: 0.6 }, seed: 1 });
    const bare = weir.mlp([2, 8, 2]);
    const model = config.from === '' ? bare : weir.startingFrom(bare, config.from);
    const updates$ = weir.draw(points, { epochs: config.epochs, seed }).pipe(
      weir.augment([], { seed }),
      weir.batch(40),
      weir.train(model, { loss: weir.crossEntropy(), optimiser: weir.sgd({ rate: 0.3 }), seed }),
    );
    const tests$ = updates$.pipe(weir.every({ epochs: 1 }), weir.accuracy(model, points));
    const readouts$ = updates$.pipe(weir.atEnd(), weir.readout(model, points, points, { fit: config.fit }));
    const readoutAttacks$ = readouts$.pipe(
      weir.tangentAttack(model, points, { samples: 2, seed, iterations: 1, box: { min: -4, max: 4 } }),
    );
    return { updates$, tests$, readouts$, readoutAttacks$ };
  },
});
`;

type Line = Record<string, unknown>;

const logOf = (run: string): Line[] =>
  readFileSync(`${run}/metrics.ndjson`, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);

const last = (run: string, stream: string): Line => logOf(run).findLast((line) => line.stream === stream)!;

/** The loss of the network in a file before its first update. */
async function lossOf(world: World, module: string, file: string): Promise<number> {
  const run = world.path('of', file.replace(/\W+/g, '-'));
  succeeded(await world.weir('run', module, '--run', run, '--set', `from=${file}`, '--set', 'epochs=1'));
  return logOf(run).find(({ stream, number }) => stream === 'tests' && number === 0)!.loss as number;
}

const close = (a: unknown, b: unknown): boolean => Math.abs(Number(a) - Number(b)) < 1e-5;

export const numbers: readonly Case[] = [
  {
    name: 'numbers: a run whose readout was fitted anew exports the network that was attacked, and the other by its name',
    quick: true,
    async play(world) {
      const module = world.module('refitted.mts', refitted);
      const run = world.path('run');
      succeeded(await world.weir('run', module, '--run', run));
      const [attacked, trained] = [last(run, 'readouts').loss, last(run, 'tests').loss];
      if (close(attacked, trained)) throw new Error('the two readouts should differ');

      const files = { attacked: world.path('new.safetensors'), trained: world.path('old.safetensors') };
      told(succeeded(await world.weir('export', run, files.attacked)), /fitted anew.*--readout trained/);
      succeeded(await world.weir('export', run, files.trained, '--readout', 'trained'));
      refused(await world.weir('export', run, world.path('no.safetensors'), '--readout', 'other'), /readout, trained/);

      const found = await lossOf(world, module, files.attacked);
      right(close(found, attacked), `the file's network has loss ${found}, the one attacked ${attacked}`);
      const other = await lossOf(world, module, files.trained);
      right(close(other, trained), `the file of the trained one has loss ${other}, not ${trained}`);
    },
  },
];
