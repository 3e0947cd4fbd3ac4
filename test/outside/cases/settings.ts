import { existsSync } from 'node:fs';
import { type Case, refused, right, succeeded, type World, warned } from '../case.js';

/** A pipeline over 40 points of 10 values in two classes; `how` changes its data, its batches and its attack. */
const over = (how: {
  data?: string;
  batches?: string;
  model?: string;
  training?: string;
  attack?: string;
  keys?: string;
}): string => `
const { z } = weir;
const values = Float32Array.from({ length: 400 }, (_, i) => (Math.floor(i / 10) % 2 === 0 ? 0.9 : 0.1) + 0.05 * Math.sin(i));
const labels = Uint8Array.from({ length: 40 }, (_, i) => i % 2);
const whole = { name: 'mine', size: 40, sampleShape: [10], classes: ['a', 'b'], values, labels };
export default weir.pipeline({
  name: 'mine',
  config: { epochs: z.int().default(2), ${how.keys ?? ''} },
  wire({ config, seed }) {
    const data = ${how.data ?? 'whole'};
    const model = ${how.model ?? 'weir.mlp([10, 8, 2])'};
    const updates$ = weir.loader(data, { epochs: config.epochs, seed }).pipe(
      weir.augment([], { seed }),
      ${how.batches ?? 'weir.batch(20)'},
      weir.train(model, { loss: weir.crossEntropy(), ${how.training ?? 'optimizer: weir.sgd({ rate: 0.5 })'}, seed }),
    );
    const tests$ = updates$.pipe(weir.every({ epochs: 1 }), weir.accuracy(model, data));
    ${how.attack === undefined ? '' : `const attacks$ = updates$.pipe(weir.atEnd(), weir.tangentAttack(model, data, { samples: 2, iterations: 2, seed, ${how.attack} }));`}
    return { updates$, tests$${how.attack === undefined ? '' : ', attacks$'} };
  },
});
`;

/** Runs such a pipeline. */
const run = (world: World, how: Parameters<typeof over>[0], ...more: string[]) =>
  world.weir('run', world.module('mine.mts', over(how)), '--run', world.path('run'), ...more);

/** Refused before anything was written: the graph is wired before the run's folder is made. */
const atOnce = (world: World): void =>
  right(!existsSync(world.path('run', 'config.json')), 'a run was begun, though its data cannot work');

const faults: readonly [fault: string, data: string, why: RegExp][] = [
  [
    'a shape that is not that of the values',
    '{ ...whole, sampleShape: [11] }',
    /400 values, and 40 samples of shape \[11\] have 440[\s\S]*\[10\]/,
  ],
  [
    'a label that is no class',
    '{ ...whole, labels: labels.with(7, 2) }',
    /sample 7 of data set 'mine' has the label 2, and there are 2 classes/,
  ],
  [
    'a value that is NaN',
    '{ ...whole, values: values.with(35, NaN) }',
    /sample 3 of data set 'mine' holds NaN at position \[5\]/,
  ],
  [
    'a value that is infinite, on shared memory',
    'weir.dataset({ ...whole, values: values.with(35, Infinity) })',
    /sample 3 of data set 'mine' holds Infinity/,
  ],
  ['labels of another number', '{ ...whole, labels: labels.slice(1) }', /40 samples and 39 labels/],
  [
    'labels that are no whole numbers',
    'weir.dataset({ ...whole, labels: Array.from(labels, (label) => label / 2) })',
    /sample 1 of data set 'mine' has the label 0.5/,
  ],
  [
    'labels below 0',
    '{ ...whole, labels: Int8Array.from(labels, (label) => -label) }',
    /the labels of data set 'mine' are of type Int8Array/,
  ],
  ['two classes of one name', "{ ...whole, classes: ['a', 'a'] }", /two classes of 'mine' are called 'a'/],
];

const data: Case[] = faults.map(([fault, data, why], i) => ({
  name: `data: ${fault}`,
  ...(i < 2 && { quick: true }),
  async play(world) {
    refused(await run(world, { data }), why);
    atOnce(world);
  },
}));

/** Settings of a pipeline of ours that cancel each other. */
const pairs: readonly [pipeline: string, settings: readonly string[], why: RegExp][] = [
  ['mnist', ['epochs=100'], /burnIn=160 and epochs=100 cancel each other/],
  ['mnist', ['gamma=0'], /gamma=0 and regularizers=.* cancel each other/],
  ['cifar10-resnet18', ['epochs=161', 'tickEvery=500'], /tickEvery=500 and epochs=161/],
  ['cifar10-resnet18', ['epochs=170', 'testEvery=3'], /testEvery=3 and epochs=170/],
  ['cifar10-resnet18', ['testImages=100', 'attacked=200'], /attacked=200 and testImages=100/],
  ['cifar10-barlow', ['images=1000', 'batchSize=2000'], /batchSize=2000 and images=1000/],
  ['cifar10-barlow', ['images=20000', 'readoutImages=30000'], /readoutImages=30000 and images=20000/],
  ['imagenet-pretrain', ['epochs=25', 'burnIn=5'], /decayEvery=30 and epochs=25/],
  ['imagenet-pretrain', ['part=100'], /part=100 and batchSize=512/],
  ['xor', ['std=0.5'], /std=0.5 and noisy=false/],
  ['tracking', ['trackEvery=60', 'xorEpochs=50', 'snapshots=0'], /trackEvery=60 and xorEpochs=50/],
];

const settings: Case[] = pairs.map(([pipeline, settings, why], i) => ({
  name: `settings: ${pipeline} ${settings.join(' ')}`,
  ...(i < 1 && { quick: true }),
  async play(world) {
    const set = settings.flatMap((one) => ['--set', one]);
    refused(await world.weir('run', `pipelines/${pipeline}.ts`, ...set, '--run', world.path('run')), why);
    atOnce(world);
  },
}));

const others: Case[] = [
  {
    name: 'settings: a user’s own pipeline with the same keys is checked too',
    async play(world) {
      refused(
        await run(world, { keys: 'testEvery: z.int().default(3),' }, '--set', 'epochs=10'),
        /testEvery=3 and epochs=10/,
      );
    },
  },
  {
    name: 'settings: the quick profile’s burn-in fits fewer epochs, and that is said',
    async play(world) {
      const set = [
        'profile=quick',
        'epochs=2',
        'hidden=8',
        'attacked=1',
        'iterations=1',
        'regularizers=none,rep-spectral',
      ];
      const ended = await world.weir(
        'run',
        'pipelines/mnist.ts',
        ...set.flatMap((one) => ['--set', one]),
        '--run',
        world.path('run'),
      );
      warned(succeeded(ended), /burnIn=12 became 1, to fit epochs=2/);
    },
  },
  {
    name: 'data: plain arrays and lists train like those on shared memory',
    async play(world) {
      const hashes: string[] = [];
      for (const data of ['whole', 'weir.dataset({ ...whole, values: [...values], labels: [...labels] })']) {
        succeeded(
          await world.weir('run', world.module('mine.mts', over({ data })), '--run', world.path(`run${hashes.length}`)),
        );
        hashes.push((await world.weir('hash', world.path(`run${hashes.length}`))).out);
      }
      right(hashes[0] === hashes[1], `two trainings on the same data differ: ${hashes}`);
    },
  },
  {
    name: 'data: more classes than the model has outputs',
    async play(world) {
      refused(
        await run(world, { data: "{ ...whole, classes: ['a', 'b', 'c'] }" }),
        /'mine' has 3 classes, but .* has 2 outputs/,
      );
    },
  },
  {
    name: 'data: a data set that fills no batch',
    async play(world) {
      refused(
        await run(world, { batches: "weir.batch(64, { partial: 'drop' })" }),
        /an epoch has 40 samples: there would be no batch/,
      );
      atOnce(world);
    },
  },
  {
    name: 'data: batch normalization over one value, in the last batch of an epoch',
    async play(world) {
      const model = "weir.resnet({ depth: 18, stem: 'cifar', inputSize: [8, 8], channels: 1, width: 2, classes: 2 })";
      const data =
        '{ ...whole, size: 5, sampleShape: [8, 8, 1], values: new Float32Array(320), labels: labels.slice(0, 5) }';
      const ended = await run(world, { model, data, batches: 'weir.batch(4)' });
      refused(ended, /last batch of each epoch has 1 sample[\s\S]*normalizes over a single value[\s\S]*partial=drop/);
      atOnce(world);
    },
  },
  {
    name: 'data: a last batch that is smaller than the ranks',
    async play(world) {
      const model = "weir.resnet({ depth: 18, stem: 'cifar', inputSize: [8, 8], channels: 1, width: 2, classes: 2 })";
      const data =
        '{ ...whole, size: 5, sampleShape: [8, 8, 1], values: new Float32Array(320), labels: labels.slice(0, 5) }';
      const ranks = ['--ranks', '2', '--batch-norm', 'synchronized'];
      const ended = await run(world, { model, data, batches: 'weir.batch(4)' }, ...ranks);
      refused(ended, /last batch of each epoch has 1 sample \(batches of 4\), shared by 2 ranks[\s\S]*partial=drop/);
      atOnce(world);
    },
  },
  {
    name: 'attack: standardized data outside of the box',
    quick: true,
    async play(world) {
      const data = '{ ...whole, values: values.map((value) => (value - 0.5) / 0.4) }';
      refused(
        await run(world, { data, attack: '' }),
        /lies outside of the box \[0, 1\]; the values of all samples go from -1\.\d+ to 1\.\d+/,
      );
      atOnce(world);
    },
  },
  {
    name: 'training: an option of an older version, or a misspelled one, is not dropped',
    quick: true,
    async play(world) {
      const sgd = 'weir.sgd({ rate: 0.5 })';
      const penalty = `optimizer: ${sgd}, penalty: weir.regularizer('l2-sp', model, { gamma: 1 })`;
      refused(
        await run(world, { training: penalty }),
        /train has no option 'penalty'[\s\S]*did you mean 'regularizer'\?/,
      );
      refused(
        await run(world, { training: `optimiser: ${sgd}` }),
        /train has no option 'optimiser'[\s\S]*did you mean 'optimizer'\?/,
      );
      refused(
        await run(world, { model: 'weir.mlp([10, 8, 2], { initialisation: weir.normal(1) })' }),
        /mlp has no option 'initialisation'[\s\S]*did you mean 'initialization'\?/,
      );
      atOnce(world);
    },
  },
  {
    name: 'attack: a setting of training is not taken for one of the attack',
    quick: true,
    async play(world) {
      const keys =
        'rate: z.number().default(0.5), gamma: z.number().default(0.02), flavor: z.string().default("plain"),';
      succeeded(await run(world, { keys, attack: 'box: { min: 0, max: 1 }' }));
      const args = (setting: string) => [
        ...['attack', world.path('run'), '--run', world.path('again'), '--no-control'],
        ...['--set', setting],
      ];
      const attack = (setting: string) => world.weir(...args(setting));
      refused(await attack('gamma=0.5'), /trained with gamma=0\.02, which an attack cannot change to 0\.5/);
      refused(await attack('rate=0.1'), /trained with rate=0\.5/);
      refused(await attack('epochs=1'), /trained with epochs=2/);
      right(!existsSync(world.path('again')), 'a refused attack has left a folder');
      warned(
        succeeded(await world.process(...args('flavor=odd'))),
        /flavor=odd acts on the attack alone: .* trained with plain/,
      );
    },
  },
  {
    name: 'attack: every result and the report state the box; normalized pixels have their own',
    async play(world) {
      const attack = 'normalize: { mean: [0.5], std: [0.4] }';
      succeeded(await run(world, { attack }));
      const { out } = succeeded(await world.weir('report', world.path('run'), '--json'));
      right(
        /"box": ?\{"min":-1\.25,"max":1\.25\}|"min": ?\[?-1\.25\]?/.test(out),
        `the report has no box: ${out.slice(0, 2000)}`,
      );
    },
  },
];

export const settingCases: readonly Case[] = [...data, ...settings, ...others];
