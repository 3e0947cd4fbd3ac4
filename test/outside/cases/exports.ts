import { readdirSync, readFileSync } from 'node:fs';
import { type Case, right, succeeded, type World } from '../case.js';

/** A pipeline whose stream `odd` has NaN and infinities, as numbers and as values read from the device, and a text that reads like one. */
const odd = `
const { z } = weir;
export default weir.pipeline({
  name: 'odd',
  config: { epochs: z.int().default(2) },
  wire({ config, seed }) {
    const points = weir.xor();
    const model = weir.mlp([2, 4, 2]);
    const updates$ = weir.loader(points, { epochs: config.epochs, seed, shuffle: false }).pipe(
      weir.augment([], { seed }),
      weir.batch(4),
      weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: 0.1 }), seed }),
    );
    const odd$ = updates$.pipe(
      weir.stage({
        name: 'odd numbers',
        start: () => null,
        next: (none, { position, number, epoch }) => [none, {
          position,
          number,
          epoch,
          called: 'NaN',
          list: [1, NaN],
          plain: NaN,
          large: Infinity,
          small: -Infinity,
          read: () => NaN,
          far: () => Infinity,
        }],
      }),
    );
    return { updates$, odd$ };
  },
});
`;

async function ran(world: World): Promise<string> {
  const module = world.module('odd.mts', odd);
  succeeded(await world.weir('run', module, '--run', world.path('run')));
  return world.path('run');
}

export const exportCases: readonly Case[] = [
  {
    name: 'exports: NaN and infinities are in the log and in CSV, whichever way they came',
    async play(world) {
      const run = await ran(world);
      const lines = readFileSync(world.path('run', 'metrics.ndjson'), 'utf8').trim().split('\n');
      const first = JSON.parse(lines.find((line) => line.includes('"stream":"odd"'))!) as Record<string, unknown>;
      const wanted = {
        plain: 'NaN',
        large: 'Infinity',
        small: '-Infinity',
        read: 'NaN',
        far: 'Infinity',
        called: '=NaN',
      };
      for (const [key, value] of Object.entries(wanted))
        right(first[key] === value, `the log has ${key}: ${first[key]}`);
      succeeded(await world.weir('export', run, world.path('odd.csv'), '--stream', 'odd'));
      const [head, row] = readFileSync(world.path('odd.csv'), 'utf8').split('\n');
      const names = head!.split(',');
      const cells = row!.replace('"[1,""NaN""]"', 'list').split(',');
      const cell = (name: string): string | undefined => cells[names.indexOf(name)];
      const found = ['plain', 'large', 'small', 'read', 'far', 'called', 'list'].map(cell).join(' ');
      right(found === 'NaN Infinity -Infinity NaN Infinity NaN list', `the CSV has ${found}`);
    },
  },
  {
    name: 'exports: NaN and infinities are in TensorBoard’s files',
    async play(world) {
      const run = await ran(world);
      succeeded(await world.weir('export', run, world.path('board'), '--tensorboard'));
      const folder = world.path('board', 'odd');
      const bytes = readFileSync(`${folder}/${readdirSync(folder)[0]}`);
      for (const field of ['plain', 'large', 'small', 'read', 'far']) {
        right(bytes.includes(`odd/${field}`), `TensorBoard's file has no odd/${field}`);
      }
    },
  },
];
