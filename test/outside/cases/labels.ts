import { readFileSync } from 'node:fs';
import type { Ended } from '../../cli/weir.js';
import { png } from '../../data/images/samples.js';
import { type Case, refused, right, succeeded, type World, warned } from '../case.js';

/**
 * A pipeline on points about three places (and a fourth), a class each; the place is that of the class's name, whatever its label. So the
 * right accuracy is 1 with the names in any order, and 0 or a third where labels are taken by place.
 */
const points = `
import { merge } from '${import.meta.resolve('rxjs')}';
const { z } = weir;
const places = { ant: [0, 3], bee: [3, -2], cat: [-3, -2], dog: [0, -6], '\\u00e9t\\u00e9': [0, 3], 'e\\u0301te\\u0301': [0, 3] };
const made = (name, classes, each, only = classes) => {
  const listed = only.flatMap((one) => Array.from({ length: each }, () => one));
  const values = new Float32Array(new SharedArrayBuffer(8 * listed.length));
  const labels = new Uint8Array(new SharedArrayBuffer(listed.length));
  listed.forEach((one, i) => {
    values.set((places[one] ?? [6, 6]).map((x, axis) => x + 0.5 * Math.sin(7 * i + axis)), 2 * i);
    labels[i] = classes.indexOf(one);
  });
  return { name, size: listed.length, sampleShape: [2], classes, values, labels };
};
export default weir.pipeline({
  name: 'points',
  task: process.env.TASK && { sampleShape: [2], classes: process.env.TASK.split(',') },
  config: {
    train: z.array(z.string()).default(['ant', 'bee', 'cat']),
    more: z.array(z.string()).default([]),
    test: z.array(z.string()).default(['ant', 'bee', 'cat']),
    outputs: z.int().default(3),
    from: z.string().default(''),
    start: z.string().default(''),
    readout: z.boolean().default(false),
    epochs: z.int().default(20),
  },
  wire({ config, seed }) {
    const train = made('train', config.train, 20);
    const test = made('test', config.test, 5);
    let model = weir.mlp([2, 16, config.outputs], { activation: 'relu', scale: 'none', initialization: weir.uniform() });
    if (config.start) model = weir.startingFrom(model, /\\.\\w+$/.test(config.start) ? config.start : weir.fromRun(config.start));
    const drawn = weir.loader(train, { epochs: config.epochs, seed });
    const both = config.more.length === 0 ? drawn : merge(drawn, weir.named('more', weir.augment([], { seed }))(weir.loader(made('more', config.more, 20), { epochs: 1, seed, name: 'draw more' })));
    const updates$ = config.from
      ? weir.trainedBy(model, { run: config.from, network: 'points' })
      : (config.more.length ? both : drawn).pipe(
          weir.augment([], { seed }), weir.batch(10),
          weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: 0.2, momentum: 0.9 }), seed }));
    const measured$ = config.readout ? updates$.pipe(weir.atEnd(), weir.readout(model, train, test)) : updates$;
    const tests$ = measured$.pipe(weir.atEnd(), weir.accuracy(model, test));
    const attacks$ = measured$.pipe(weir.atEnd(), weir.tangentAttack(model, test, { samples: 100, iterations: 2, box: { min: -9, max: 9 }, seed }));
    return { updates$, ...(config.readout && { readouts$: measured$ }), tests$, attacks$ };
  },
});`;

interface Found {
  readonly ended: Ended;
  readonly run: string;
  /** Records of a stream. */
  readonly records: (stream: string) => Readonly<Record<string, unknown>>[];
}

export async function runPoints(
  world: World,
  settings: readonly string[],
  name = 'run',
  module = points,
): Promise<Found> {
  const file = world.module('points.mts', module);
  const folder = world.path(name);
  const ended = await world.weir('run', file, '--run', folder, ...settings.flatMap((one) => ['--set', one]));
  const records = (stream: string): Readonly<Record<string, unknown>>[] =>
    readFileSync(world.path(name, 'metrics.ndjson'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
      .filter((record) => record.stream === stream);
  return { ended, run: folder, records };
}

/** Every test sample is classified correctly, and every one attacked. */
export function allRight({ ended, records }: Found, samples: number): void {
  succeeded(ended);
  const accuracy = records('tests').at(-1)!.accuracy;
  right(accuracy === 1, `accuracy ${accuracy}, where 1 is right`);
  const attacked = records('attacks').length;
  right(attacked === samples, `${attacked} samples attacked as correctly classified, where ${samples} are`);
}

/** Refused, and before a run's folder was made. */
function refusedEarly({ ended, run }: Found, why: RegExp): void {
  refused(ended, why);
  right(!ended.out.includes(run), `a run was started: ${ended.out}`);
}

/** A folder of one-colored images, a class a color. */
async function images(world: World, folder: string, classes: Readonly<Record<string, number>>): Promise<void> {
  for (const [name, color] of Object.entries(classes)) {
    for (let i = 0; i < 4; i++) {
      const pixels = Uint8Array.from({ length: 8 * 8 * 3 }, (_, at) => (at % 3 === color ? 200 + 5 * i : 20));
      world.write(`${folder}/${name}/${i}.png`, await png(pixels, 8, 8));
    }
  }
}

const folders = (train: string): string => `
export default weir.pipeline({
  name: 'points', config: { data: weir.folder().default('data'), pack: weir.z.string().default('') },
  async wire({ config, seed }) {
    const train = ${train};
    const folder = config.data;
    const test = await weir.decoded(await weir.imageFolder({ folder, split: 'val' }), [weir.resize({ size: 8 }), weir.centerCrop({ size: 8 })]);
    const model = weir.mlp([192, 8, train.classes.length], { activation: 'relu', scale: 'none', initialization: weir.uniform() });
    const updates$ = weir.loader(train, { epochs: 20, seed }).pipe(
      weir.augment([weir.resize({ size: 8 }), weir.centerCrop({ size: 8 }), weir.unitScale()], { seed, threads: 1 }), weir.batch(4),
      weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: 0.1 }), seed }));
    const tests$ = updates$.pipe(weir.atEnd(), weir.accuracy(model, test));
    const attacks$ = updates$.pipe(weir.atEnd(), weir.tangentAttack(model, test, { samples: 100, iterations: 1, seed }));
    return { updates$, tests$, attacks$ };
  },
});`;

export const labels: readonly Case[] = [
  {
    name: 'labels: test classes in another order',
    quick: true,
    async play(world) {
      const found = await runPoints(world, ['test=cat,ant,bee']);
      allRight(found, 15);
      const odd = found.records('attacks').find(({ label, predicted }) => label !== predicted);
      right(odd === undefined, `an attacked sample of label ${odd?.label} was predicted as ${odd?.predicted}`);
      const [network] = found.records('network');
      right(String(network!.classes) === 'ant,bee,cat', `figures call the classes ${network!.classes}`);
    },
  },
  {
    name: 'labels: test lacks the first class',
    async play(world) {
      allRight(await runPoints(world, ['test=bee,cat']), 10);
    },
  },
  {
    name: 'labels: test has a class that training does not know',
    quick: true,
    async play(world) {
      refusedEarly(
        await runPoints(world, ['test=ant,bee,cat,dog']),
        /class 'dog' of 'test' \(5 samples\) is none of the classes of 'train': ant, bee, cat/,
      );
    },
  },
  {
    name: 'labels: as many classes with other names',
    async play(world) {
      refusedEarly(await runPoints(world, ['test=ant,bee,zebra']), /class 'zebra' of 'test'/);
    },
  },
  {
    name: 'labels: a class spelled by a Mac in one of them',
    async play(world) {
      allRight(await runPoints(world, ['train=bee,cat,\u00e9t\u00e9', 'test=e\u0301te\u0301,bee,cat']), 15);
    },
  },
  {
    name: 'labels: two classes that are one once spelled the same',
    async play(world) {
      refusedEarly(
        await runPoints(world, ['train=cat,\u00e9t\u00e9,e\u0301te\u0301', 'test=\u00e9t\u00e9,cat']),
        /two classes of 'train' are called '\u00e9t\u00e9'/,
      );
    },
  },
  {
    name: 'labels: a network with fewer outputs than classes',
    async play(world) {
      refusedEarly(await runPoints(world, ['outputs=2']), /'train' has 3 classes, but mlp 2-16-2 relu has 2 outputs/);
    },
  },
  {
    name: 'labels: two data sets merged, classes in another order',
    async play(world) {
      refusedEarly(
        await runPoints(world, ['more=bee,ant,cat']),
        /of 'train' and of 'more', whose classes are not the same/,
      );
    },
  },
  {
    name: 'labels: the task names the classes in another order than the data',
    async play(world) {
      const named = points
        .replace('process.env.TASK &&', 'true &&')
        .replace('process.env.TASK.split', "'bee,ant,cat'.split");
      refusedEarly(
        await runPoints(world, [], 'run', named),
        /pipeline 'points' calls class 0 'bee', but in 'train' that is class 1/,
      );
    },
  },
  {
    name: 'labels: a trained network measured on data in another order, with an unknown class, and fine-tuned',
    async play(world) {
      const first = await runPoints(world, [], 'first');
      allRight(first, 15);
      allRight(await runPoints(world, [`from=${first.run}`, 'test=cat,bee,ant'], 'again'), 15);
      refused(
        (await runPoints(world, [`from=${first.run}`, 'test=cat,bee,dog'], 'odd')).ended,
        /class 'dog' of 'test' \(5 samples\) is none of the classes of 'train'/,
      );
      const tuned = ['epochs=1', 'train=cat,bee,ant', 'test=bee,ant,cat'];
      allRight(await runPoints(world, [`start=${first.run}`, ...tuned], 'tuned'), 15);
      const file = world.path('w.safetensors');
      succeeded(await world.weir('export', first.run, file));
      allRight(await runPoints(world, [`start=${file}`, ...tuned], 'tuned-by-file'), 15);
      refusedEarly(
        await runPoints(world, [`start=${file}`, 'train=cat,bee,dog', 'test=bee'], 'unknown'),
        /class 'dog' of 'train' is none of the classes of/,
      );
    },
  },
  {
    name: 'labels: a readout fitted on one order, tested and attacked on another',
    async play(world) {
      allRight(await runPoints(world, ['readout=true', 'test=cat,ant,bee']), 15);
      refusedEarly(await runPoints(world, ['readout=true', 'test=cat,dog'], 'odd'), /class 'dog' of 'test'/);
    },
  },
  {
    name: 'labels: folders of images, one named by a Mac, and a pack of another order',
    async play(world) {
      await images(world, 'data/train', { '\u00e9t\u00e9': 0, mer: 1, zoo: 2 });
      await images(world, 'data/val', { 'e\u0301te\u0301': 0, zoo: 2 });
      const folder = folders("await weir.imageFolder({ folder: config.data, split: 'train' })");
      allRight(await runPoints(world, [`data=${world.path('data')}`], 'run', folder), 8);
      const pack = world.path('train.weirpack');
      succeeded(await world.weir('pack', world.path('data'), pack, '--split', 'train'));
      await images(world, 'data/val', { aaa: 1 });
      const packed = folders('weir.packed(config.pack)');
      refusedEarly(
        await runPoints(world, [`data=${world.path('data')}`, `pack=${pack}`], 'packed', packed),
        /class 'aaa' of '.*\/val' \(4 samples\) is none of the classes of '.*\/train \(packed\)': mer, zoo, \u00e9t\u00e9/,
      );
    },
  },
  {
    name: 'labels: two folders that are one class once spelled the same',
    async play(world) {
      await images(world, 'data/train', { '\u00e9t\u00e9': 0, 'e\u0301te\u0301': 1, zoo: 2 });
      await images(world, 'data/val', { zoo: 2 });
      const folder = folders("await weir.imageFolder({ folder: config.data, split: 'train' })");
      const found = await runPoints(world, [`data=${world.path('data')}`], 'run', folder);
      refusedEarly(found, /two classes of '.*\/train' are called '\u00e9t\u00e9' once both are spelled the same way/);
      warned(found.ended, /put their images into one folder/);
    },
  },
];
