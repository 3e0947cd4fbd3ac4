import { cpSync } from 'node:fs';
import { noisyJpeg } from '../../data/images/samples.js';
import { type Case, right, succeeded, warned } from '../case.js';

/** Images drawn from a folder, and tested on those of its other part. */
const folders = `
export default weir.pipeline({
  name: 'folders',
  config: { data: weir.z.string(), tested: weir.z.enum(['train', 'val']).default('val') },
  async wire({ config, seed }) {
    const small = [weir.resize({ size: 4 }), weir.centerCrop({ size: 4 })];
    const train = await weir.imageFolder({ folder: config.data, split: 'train' });
    const test = await weir.decoded(await weir.imageFolder({ folder: config.data, split: config.tested }), small);
    const model = weir.mlp([48, 4, 2]);
    const updates$ = weir.loader(train, { epochs: 1, seed }).pipe(
      weir.augment([...small, weir.unitScale()], { seed }), weir.batch(4),
      weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: 0.1 }), seed }));
    return { updates$, tests$: updates$.pipe(weir.atEnd(), weir.accuracy(model, test)) };
  },
});`;

/** Images in memory; of the test's `shared` are those of the training. */
const memory = `
export default weir.pipeline({
  name: 'memory',
  config: { shared: weir.z.int().default(0) },
  wire({ config, seed }) {
    const made = (name, from) => weir.dataset({
      name, sampleShape: [4, 4, 1], classes: ['a', 'b'],
      values: Uint8Array.from({ length: 160 }, (_, i) => (37 * (i + 16 * from) * (i + 16 * from)) % 251),
      labels: [0, 1, 0, 1, 0, 1, 0, 1, 0, 1],
    });
    const model = weir.mlp([16, 4, 2]);
    const updates$ = weir.loader(made('train', 0), { epochs: 1, seed }).pipe(
      weir.augment([weir.unitScale()], { seed }), weir.batch(5),
      weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: 0.1 }), seed }));
    return { updates$, tests$: updates$.pipe(weir.atEnd(), weir.accuracy(model, made('test', 10 - config.shared))) };
  },
});`;

const among = /(\d+) of (\d+) samples of '.*' are among those of '.*', which the network is trained on/;

/** A test on the training samples, which no accuracy shows. */
export const overlapCases: readonly Case[] = [
  {
    name: 'overlap: a picture of the training lies among those of the test',
    async play(world) {
      for (const [i, one] of ['a', 'b'].entries()) {
        for (const n of [1, 2]) world.write(`data/train/${one}/${n}.jpg`, await noisyJpeg(8, 8, 10 * i + n));
        world.write(`data/val/${one}/3.jpg`, await noisyJpeg(8, 8, 10 * i + 3));
      }
      const module = world.module('folders.ts', folders);
      const play = (run: string, tested = 'val') =>
        world.weir(
          'run',
          module,
          '--set',
          `data=${world.path('data')}`,
          '--set',
          `tested=${tested}`,
          '--run',
          world.path(run),
        );
      const clean = succeeded(await play('clean'));
      right(!among.test(clean.err), `it was told of an overlap where there is none:\n${clean.err}`);
      cpSync(world.path('data/train/a/1.jpg'), world.path('data/val/a/4.jpg'));
      warned(succeeded(await play('leaked')), /1 of 3 samples of '.*val' are among those of '.*train'/);
      const meant = succeeded(await play('meant', 'train'));
      right(!among.test(meant.err), `the accuracy of the training was taken for that of a test:\n${meant.err}`);
    },
  },
  {
    name: 'overlap: data in memory, some samples of which are trained on and tested',
    quick: true,
    async play(world) {
      const module = world.module('memory.ts', memory);
      const clean = succeeded(await world.weir('run', module, '--run', world.path('clean')));
      right(!among.test(clean.err), `it was told of an overlap where there is none:\n${clean.err}`);
      const run = await world.weir('run', module, '--set', 'shared=3', '--run', world.path('shared'));
      warned(succeeded(run), /3 of 10 samples of 'test' are among those of 'train'/);
    },
  },
];
