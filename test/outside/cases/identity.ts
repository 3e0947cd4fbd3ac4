import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { start } from '../../cli/weir.js';
import { type Case, refused, right, succeeded, type World, warned } from '../case.js';

const keys = `
    rate: weir.z.number().default(0.1), epochs: weir.z.int().default(6),
    attacked: weir.z.int().default(4), iterations: weir.z.int().default(2)`;

/** Stops its run by itself, at the end of epoch 3 of the network, where a file 'stop' has its name. */
const graph = `
let stopped = false;
const stopAt = (name) => {
  if (stopped || !existsSync(dir + '/stop') || readFileSync(dir + '/stop', 'utf8') !== name) return;
  stopped = true;
  process.kill(process.pid, 'SIGTERM');
};
const graphOf = ({ config, network, seed }, model, train, test, steps) => {
  const updates$ = weir.loader(train, { epochs: config.epochs, seed }).pipe(
    weir.augment(steps, { seed }),
    weir.batch(8),
    weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: config.rate * scale }), seed }),
    tap(({ epoch, endsEpoch }) => epoch === 3 && endsEpoch && stopAt(network.name)),
  );
  return { updates$, test };
};`;

const head = `
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { tap } from 'rxjs';
import { scale } from './helper.js';
const dir = import.meta.dirname;
${graph}`;

/** The files beside the user's module: a package, with rxjs in its node_modules, and a file that the module imports. */
function packageWith(world: World): void {
  world.write('package.json', '{ "type": "module" }');
  world.write('helper.ts', 'export const scale = 1;');
  symlinkSync(join(import.meta.dirname, '../../../node_modules'), world.path('node_modules'));
}

/** 24 samples of 8 bytes in two files, two networks of which the second branches off the first. */
function bytesPipeline(world: World, { values = bytes(), labels = alternating(24), extra = '' } = {}): string {
  packageWith(world);
  world.write('values.bin', values);
  world.write('labels.bin', labels);
  return world.module(
    'pipeline.ts',
    `${head}
const set = (name) => {
  const labels = new Uint8Array(readFileSync(dir + '/labels.bin'));
  const values = new Uint8Array(readFileSync(dir + '/values.bin'));
  return { name, size: labels.length, sampleShape: [8], classes: ['a', 'b'], values, labels };
};
export default weir.pipeline({
  name: 'bytes',
  config: {${keys} },
  networks: (_, seed) => [
    { name: 'one', regularizer: 'none', seed },
    { name: 'two', regularizer: 'none', seed, branch: { of: 'one', epoch: 2 } },
  ],
  wire(wiring) {
    const model = weir.mlp([8, 4, 2]);
    const { updates$ } = graphOf(wiring, model, set('numbers'), undefined, [weir.unitScale()]);
    const tests$ = updates$.pipe(weir.every({ epochs: 2 }), weir.accuracy(model, set('test numbers')));
    const { attacked, iterations } = wiring.config;
    const attacks$ = updates$.pipe(
      weir.atEnd(),
      weir.tangentAttack(model, set('test numbers'), { samples: attacked, iterations, seed: wiring.seed }),
    );${extra}
    return { updates$, tests$, attacks$ };
  },
});`,
  );
}

const bytes = (count = 24): Uint8Array =>
  Uint8Array.from({ length: 8 * count }, (_, i) => (i * 37 + (i >> 3) * 91) % 256);
const alternating = (count: number): Uint8Array => Uint8Array.from({ length: count }, (_, i) => i % 2);

/** Runs it until it stops, after epoch 3 of network `at`. */
async function stopped(world: World, module: string, at = 'one'): Promise<void> {
  world.write('stop', at);
  const { status, err, out } = await world.weir('run', module, '--run', world.path('run'), '--no-control');
  rmSync(world.path('stop'));
  if (status !== 75) throw new Error(`it did not stop, but ended with ${status}:\n${err}${out}`);
}

const done = async (world: World, module: string): Promise<void> =>
  void succeeded(await world.weir('run', module, '--run', world.path('run'), '--no-control'));

const resume = (world: World, ...more: string[]) => world.process('resume', world.path('run'), '--no-control', ...more);

const edit = (world: World, file: string, change: (text: string) => string): void => {
  const before = readFileSync(world.path(file), 'utf8');
  const after = change(before);
  if (after === before) throw new Error(`nothing was edited in ${file}`);
  world.write(file, after);
};

/** A change between stop and resume, and the words that the refusal must have. */
const betweenStopAndResume = (
  name: string,
  change: (world: World) => void,
  why: RegExp,
  { quick = false, at = 'one' } = {},
): Case => ({
  name: `identity: ${name} between stop and resume`,
  ...(quick && { quick }),
  async play(world) {
    await stopped(world, bytesPipeline(world), at);
    change(world);
    refused(await resume(world), why);
  },
});

const invert = (world: World): void =>
  void world.write(
    'values.bin',
    bytes().map((byte) => 255 - byte),
  );

/** Two classes in two splits, six images of 8 × 8 pixels each. */
async function imagesPipeline(world: World): Promise<string> {
  packageWith(world);
  for (const split of ['train', 'val']) {
    for (const [c, name] of ['cat', 'dog'].entries()) {
      for (let i = 0; i < 4; i++) world.write(`images/${split}/${name}/${i}.png`, await picture(60 * c + 10 * i));
    }
  }
  return world.module(
    'pipeline.ts',
    `${head}
export default weir.pipeline({
  name: 'images',
  config: {${keys} },
  async wire(wiring) {
    const folder = dir + '/images';
    const look = { folder, say: () => undefined };
    const train = await weir.imageFolder({ ...look, split: 'train' });
    const test = await weir.decoded(await weir.imageFolder({ ...look, split: 'val' }), [weir.resize({ size: [8, 8] })]);
    const model = weir.mlp([192, 4, 2]);
    const { updates$ } = graphOf(wiring, model, train, test, [weir.resize({ size: [8, 8] }), weir.unitScale()]);
    const tests$ = updates$.pipe(weir.every({ epochs: 2 }), weir.accuracy(model, test));
    return { updates$, tests$ };
  },
});`,
  );
}

const picture = (level: number): Promise<Uint8Array> =>
  sharp({ create: { width: 8, height: 8, channels: 3, background: { r: level, g: level, b: 200 - level } } })
    .png()
    .toBuffer();

const ofImages = (name: string, change: (world: World) => Promise<void> | void, why: RegExp): Case => ({
  name: `identity: ${name} between stop and resume`,
  async play(world) {
    await stopped(world, await imagesPipeline(world), 'images');
    await change(world);
    refused(await resume(world), why);
  },
});

export const identityCases: readonly Case[] = [
  betweenStopAndResume('training data inverted', invert, /'numbers'.* its values differ/, { quick: true }),
  betweenStopAndResume(
    'labels rotated',
    (world) =>
      void world.write(
        'labels.bin',
        alternating(24).map((label) => 1 - label),
      ),
    /'numbers'.* its labels differ/,
  ),
  betweenStopAndResume(
    'samples added',
    (world) => {
      world.write('values.bin', bytes(25));
      world.write('labels.bin', alternating(25));
    },
    /'numbers'.* has 25 samples and had 24/,
  ),
  betweenStopAndResume(
    'samples taken away',
    (world) => {
      world.write('values.bin', bytes(23));
      world.write('labels.bin', alternating(23));
    },
    /'numbers'.* has 23 samples and had 24/,
  ),
  betweenStopAndResume(
    'the pipeline module edited',
    (world) => edit(world, 'pipeline.ts', (text) => text.replace('weir.batch(8)', 'weir.batch(4)')),
    /the pipeline module \S*pipeline\.ts was edited/,
  ),
  betweenStopAndResume(
    'a helper that the module imports edited',
    (world) => void world.write('helper.ts', 'export const scale = 2;'),
    /'helper\.ts', a part of the pipeline module \S*, was edited/,
    { quick: true },
  ),
  betweenStopAndResume(
    'the rate in config.json edited',
    (world) => edit(world, 'run/config.json', (text) => text.replace('"rate": 0.1', '"rate": 0.5')),
    /'rate' was 0\.1 and is 0\.5/,
  ),
  betweenStopAndResume(
    'the seed in config.json edited',
    (world) => edit(world, 'run/config.json', (text) => text.replace('"seed": 0', '"seed": 7')),
    /the seed was 0 and is 7/,
  ),
  betweenStopAndResume(
    'data inverted where a network that branches off another is next',
    invert,
    /'numbers'.* its values differ/,
    { at: 'two' },
  ),
  betweenStopAndResume(
    'identity.json taken away',
    (world) => rmSync(world.path('run/identity.json')),
    /identity\.json is gone/,
  ),
  betweenStopAndResume(
    'the folder of an older build put in its place',
    (world) => edit(world, 'run/config.json', (text) => text.replace('"format": 4', '"format": 1')),
    /is of format 1.*reads format 4\n.*older formats are not taken up/,
  ),
  ofImages(
    'an image added to a folder',
    async (world) => void world.write('images/train/cat/9.png', await picture(90)),
    /has 9 samples and had 8, 'train\/cat\/9\.png' is new/,
  ),
  ofImages(
    'an image taken out of a folder',
    (world) => rmSync(world.path('images/train/dog/0.png')),
    /'train\/dog\/0\.png' is gone/,
  ),
  ofImages(
    'an image replaced by one of the same size and time',
    async (world) => {
      const file = world.path('images/train/cat/1.png');
      const { atime, mtime, size } = statSync(file);
      const other = await picture(11);
      right(other.length === size, `the case is broken: ${other.length} bytes for ${size}`);
      world.write('images/train/cat/1.png', other);
      utimesSync(file, atime, mtime);
    },
    /'train\/cat\/1\.png' was replaced/,
  ),
  ofImages(
    'a class folder renamed in both splits',
    (world) => {
      for (const split of ['train', 'val'])
        renameSync(world.path('images', split, 'dog'), world.path('images', split, 'ape'));
    },
    /class 1 is 'ape' and was 'cat'/,
  ),
  {
    name: 'identity: a snapshot of another run laid into the folder',
    async play(world) {
      const module = bytesPipeline(world);
      await stopped(world, module);
      renameSync(world.path('run'), world.path('first'));
      world.write('stop', 'one');
      await world.process('run', module, '--run', world.path('run'), '--no-control', '--set', 'rate=0.3');
      rmSync(world.path('stop'));
      const [from, to] = ['first', 'run'].map((run) => world.path(run, 'snapshots/one'));
      for (const name of readdirSync(to!)) rmSync(`${to}/${name}`);
      for (const name of readdirSync(from!)) copyFileSync(`${from}/${name}`, `${to}/${name}`);
      refused(await resume(world), /the snapshot \S+ was made with other config, data or code, or by another run/);
      refused(await world.process('hash', world.path('run')), /was made with other config, data or code/);
    },
  },
  {
    name: 'identity: data that change while a run goes on, between two of its networks',
    async play(world) {
      const extra = `
    if (wiring.network.name === 'one') {
      const spoilt$ = updates$.pipe(tap(({ epoch }) => epoch === 6 && writeFileSync(dir + '/values.bin', new Uint8Array(192))));
      return { updates$: spoilt$, tests$, attacks$ };
    }`;
      const module = bytesPipeline(world, { extra });
      refused(
        await world.process('run', module, '--run', world.path('run'), '--no-control'),
        /'numbers'.* its values differ/,
      );
    },
  },
  {
    name: 'identity: attack and report of a run whose data, module or config are not what they were',
    async play(world) {
      const module = bytesPipeline(world);
      await done(world, module);
      const run = world.path('run');
      const attack = () => world.process('attack', run, '--run', world.path('again'), '--no-control');
      invert(world);
      refused(await attack(), /'test numbers'.* its values differ/);
      refused(await world.process('report', run), /'test numbers'.* its values differ/);
      world.write('values.bin', bytes());
      world.write('helper.ts', 'export const scale = 3;');
      refused(await attack(), /'helper\.ts'.* was edited/);
      refused(await world.process('report', run), /'helper\.ts'.* was edited/);
      world.write('helper.ts', 'export const scale = 1;');
      edit(world, 'run/config.json', (text) => text.replace('"rate": 0.1', '"rate": 0.5'));
      refused(await attack(), /'rate' was 0\.1 and is 0\.5/);
      refused(await world.process('report', run), /'rate' was 0\.1 and is 0\.5/);
      refused(await world.process('hash', run), /'rate' was 0\.1 and is 0\.5/);
      const renamed = (text: string): string => text.replace('"rate": 0.5', '"rate": 0.1').replace('"two"', '"three"');
      edit(world, 'run/config.json', renamed);
      refused(await world.process('hash', run), /does not list the network 'two'/);
      right(!existsSync(world.path('again')), 'a refused attack has left a folder');
    },
  },
  {
    name: 'identity: changes that are accepted are recorded, in the folder and in the report',
    async play(world) {
      await stopped(world, bytesPipeline(world));
      invert(world);
      succeeded(await resume(world, '--accept-changes'));
      const sentence = /data set 'numbers'.* has changed: its values differ/;
      right(sentence.test(readFileSync(world.path('run/identity.json'), 'utf8')), 'identity.json says nothing of it');
      right(
        /--accept-changes, although data set/.test(readFileSync(world.path('run/report/report.html'), 'utf8')),
        'nor the report',
      );
      succeeded(await world.process('report', world.path('run'))); // accepted once, it is part of the run
      invert(world); // to where it was
      world.write('values.bin', bytes());
      refused(await world.process('report', world.path('run')), sentence);
      const again = await world.process(
        'attack',
        world.path('run'),
        '--run',
        world.path('again'),
        '--no-control',
        '--accept-changes',
      );
      succeeded(again);
      right(
        /its values differ/.test(readFileSync(world.path('again/report/report.html'), 'utf8')),
        'the attack’s report says nothing',
      );
    },
  },
  {
    name: 'identity: a pipeline module that is gone, and one that was moved',
    quick: true,
    async play(world) {
      const module = bytesPipeline(world);
      await stopped(world, module);
      world.write('moved/helper.ts', 'export const scale = 1;');
      for (const name of ['package.json', 'node_modules', 'pipeline.ts', 'values.bin', 'labels.bin'])
        renameSync(world.path(name), world.path('moved', name));
      refused(await resume(world), /the pipeline module of \S+ is gone: \S+pipeline\.ts\n.*--module PATH/);
      succeeded(await resume(world, '--module', world.path('moved/pipeline.ts')));
      warned(await world.process('report', world.path('run')), /report\.html/);
    },
  },
  {
    name: 'identity: another number of threads is said and recorded, and nothing is refused',
    async play(world) {
      await stopped(world, bytesPipeline(world));
      const threads = readFileSync(world.path('run/identity.json'), 'utf8').includes('"threads": 1') ? '2' : '1';
      const resumed = await start({ WEIR_THREADS: threads }, 'resume', world.path('run'), '--no-control').ended;
      warned(
        succeeded(resumed),
        new RegExp(`goes on with threads ${threads} \\(was \\d+\\): the same bits are not promised`),
      );
      right(
        readFileSync(world.path('run/report/report.html'), 'utf8').includes(`with threads ${threads} (was`),
        'not in the report',
      );
    },
  },
  {
    name: 'identity: the module edited between two jobs of a sweep',
    async play(world) {
      const module = bytesPipeline(world);
      const sweep = (rates: string, ...more: string[]) =>
        world.process('sweep', module, '--grid', `rate=${rates}`, '--run', world.path('sweep'), '--jobs', '1', ...more);
      succeeded(await sweep('0.1'));
      world.write('helper.ts', 'export const scale = 2;');
      refused(await sweep('0.1,0.2'), /the sweep in \S+ is not what it was: 'helper\.ts'.* was edited/);
      succeeded(await sweep('0.1,0.2', '--accept-changes'));
    },
  },
  {
    name: 'identity: the file that weights are taken from replaced between stop and resume',
    async play(world) {
      const module = bytesPipeline(world);
      for (const rate of ['0.1', '0.5']) {
        const made = ['--run', world.path(rate), '--set', `rate=${rate}`, '--set', 'attacked=1', '--no-control'];
        succeeded(await world.process('run', module, ...made));
      }
      const exported = async (rate: string) =>
        succeeded(await world.process('export', world.path(rate), world.path('w.safetensors'), '--network', 'one'));
      await exported('0.1');
      edit(world, 'pipeline.ts', (text) =>
        text.replace('weir.mlp([8, 4, 2])', "weir.startingFrom(weir.mlp([8, 4, 2]), dir + '/w.safetensors')"),
      );
      await stopped(world, module);
      await exported('0.5');
      refused(await resume(world), /w\.safetensors'? .*has changed: its weights differ/);
    },
  },
  {
    name: 'identity: a record of a pack altered, and every record asked to be read',
    async play(world) {
      const module = await imagesPipeline(world);
      const pack = world.path('train.weirpack');
      succeeded(await world.process('pack', world.path('images'), pack, '--split', 'train'));
      edit(world, 'pipeline.ts', (text) =>
        text.replace(/const train = .*/, "const train = weir.packed(dir + '/train.weirpack');"),
      );
      await stopped(world, module, 'images');
      const bytes = readFileSync(pack);
      bytes[100]! ^= 1; // in the first record
      world.write('train.weirpack', bytes);
      refused(await resume(world, '--read-all'), /record 0 of '\S+' was altered/);
    },
  },
];
