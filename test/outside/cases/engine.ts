import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { type Case, refused, right, succeeded, type World, warned } from '../case.js';

const rxjs = pathToFileURL(createRequire(import.meta.url).resolve('rxjs')).href;
const capacity = 100;

/**
 * A pipeline that trains on 400 points about XOR's corners, in blocks of 10 and batches of 20, with an operator between the blocks and
 * the batches. It prints the largest number of samples outside of the stages on standard error.
 */
const pipeline = (world: World, operator: string, streams = 'updates$'): string =>
  world.module(
    'between.mts',
    `import * as rx from '${rxjs}';
let handed = 0;
let given = 0;
let most = 0;
export default weir.pipeline({
  name: 'between',
  config: { epochs: weir.z.int().default(3) },
  wire({ config, seed }) {
    const data = weir.xor({ noise: { perCorner: 100, std: 0.2 }, seed });
    const blocks$ = (name = 'loader') => weir.loader(data, { epochs: config.epochs, seed, block: 10, capacity: ${capacity}, name });
    const updates$ = blocks$().pipe(
      weir.augment([], { seed }),
      rx.tap(({ position }) => {
        handed = position;
        if (handed - given > most) console.error('OUTSIDE ' + (most = handed - given));
      }),
      ${operator},
      rx.tap(({ position }) => {
        given = position;
        console.error('ARRIVED ' + given);
      }),
      weir.batch(20),
      weir.train(weir.mlp([2, 4, 2]), { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: 0.1 }), seed }),
    );
    return { ${streams} };
  },
});`,
  );

/** Starts it, waits for this text, stops it, and checks the number of samples outside. @returns its standard error */
async function stoppedAfter(world: World, operator: string, text: string): Promise<string> {
  const started = world.start('run', pipeline(world, operator), '--set', 'epochs=1000', '--run', world.path('run'));
  await Promise.race([started.said(text), started.ended]);
  started.child.kill('SIGTERM');
  const ended = await started.ended;
  right(ended.status === 75, `ended with status ${ended.status} where it should wait and be stopped:\n${ended.err}`);
  const outside = Math.max(...[...ended.err.matchAll(/OUTSIDE (\d+)/g)].map(([, samples]) => Number(samples)));
  right(outside <= 2 * capacity, `${outside} samples were outside, ${2 * capacity} are stated`);
  return ended.err;
}

const lines = (world: World): { readonly stream: string; readonly [key: string]: unknown }[] =>
  readFileSync(world.path('run', 'metrics.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

const stuck = 'rx.concatMap((x) => (x.position > 400 ? rx.NEVER : rx.timer(0).pipe(rx.map(() => x))))';
const waiting = /waiting: 200 samples went out on the way 'augment' → tap → .* → tap → 'batch' and have not arrived/;

export const engineCases: readonly Case[] = [
  {
    name: 'engine: an operator that is stuck is waited for by name, with no more outside than is stated',
    async play(world) {
      warned({ status: 75, out: '', err: await stoppedAfter(world, stuck, 'waiting: ') }, waiting);
    },
  },
  {
    name: 'engine: an operator of 1.3 s an item has no more inside than is stated',
    async play(world) {
      const slow = 'rx.concatMap((x) => rx.timer(1300).pipe(rx.map(() => x)))';
      await stoppedAfter(world, slow, 'ARRIVED 80');
    },
  },
  {
    name: 'engine: a filter of RxJS that drops everything is waited for by name, and weir.filter recommended',
    async play(world) {
      const err = await stoppedAfter(world, 'rx.filter(() => false)', 'waiting: ');
      warned({ status: 75, out: '', err }, /'augment' → tap → filter → tap → 'batch'.*weir\.filter/);
    },
  },
  {
    name: 'engine: weir.filter drops without limit, and all it lets pass is trained',
    quick: true,
    async play(world) {
      const last = 'weir.filter((samples) => samples.epoch === 10)';
      succeeded(await world.weir('run', pipeline(world, last), '--set', 'epochs=10', '--run', world.path('run')));
      const updates = lines(world).filter(({ stream, number }) => stream === 'updates' && number !== 0);
      right(updates.length === 20, `${updates.length} updates, 20 are due`);
    },
  },
  {
    name: 'engine: an operator that changes the order is refused where its items come in',
    quick: true,
    async play(world) {
      const reorder = 'rx.mergeMap((x) => rx.timer(Math.abs(Math.sin(x.position)) * 12).pipe(rx.map(() => x)))';
      const ended = await world.weir('run', pipeline(world, reorder), '--run', world.path('run'));
      refused(ended, /stage 'batch' was handed position \d+ after position \d+, on the way 'augment' → tap → mergeMap/);
      warned(ended, /concatMap or weir\.ordered/);
    },
  },
  {
    name: 'engine: an operator that hands items on twice is refused where they come in',
    async play(world) {
      const double = 'rx.concatMap((x) => rx.of(x, x))';
      const ended = await world.weir('run', pipeline(world, double), '--run', world.path('run'));
      refused(ended, /stage 'batch' was handed position 10 twice, on the way 'augment' → tap → mergeMap or concatMap/);
    },
  },
  {
    name: 'engine: streams that RxJS merges by arrival are refused before training',
    async play(world) {
      const merge = "rx.mergeWith(blocks$('again').pipe(weir.augment([], { seed, name: 'augment again' })))";
      const ended = await world.weir('run', pipeline(world, merge), '--run', world.path('run'));
      refused(ended, /stage 'batch' was handed position \d+ (twice|after position \d+), .*'augment again'/);
      warned(ended, /weir\.mergeInTurn/);
    },
  },
  {
    name: 'engine: an operator of RxJS that keeps state before training is named when the graph is wired, others are not',
    async play(world) {
      const take = await world.weir('run', pipeline(world, 'rx.take(40)'), '--run', world.path('run'));
      warned(succeeded(take), /'augment' → tap → take → tap → 'batch', RxJS's take keeps state that no snapshot holds/);
      const none = pipeline(world, 'rx.map((x) => x)');
      const ended = succeeded(await world.weir('run', none, '--run', world.path('run 2')));
      right(!/keeps state/.test(ended.err), `a graph without state was told of:\n${ended.err}`);
    },
  },
  {
    name: 'engine: several records made of every update are all logged, those of the first update too',
    async play(world) {
      const parts =
        'parts$: updates$.pipe(rx.mergeMap(({ position, number }) => [1, 2].map((part) => ({ position, number, part }))))';
      const module = pipeline(world, 'rx.map((x) => x)', `updates$, ${parts}`);
      succeeded(await world.weir('run', module, '--set', 'epochs=1', '--run', world.path('run')));
      const records = lines(world).filter(({ stream }) => stream === 'parts');
      right(records.length === 42, `${records.length} records of 21 updates, 42 are due`);
    },
  },
  {
    name: 'engine: training that an operator ended early is told of, and so is a test of earlier weights',
    quick: true,
    async play(world) {
      const tests = 'tests$: updates$.pipe(weir.every({ epochs: 1 }), weir.accuracy(weir.mlp([2, 4, 2]), weir.xor()))';
      const ended = await world.weir(
        'run',
        pipeline(world, 'rx.take(3)', `updates$, ${tests}`),
        '--run',
        world.path('run'),
      );
      warned(
        succeeded(ended),
        /the last update that was logged, \d+, is within epoch 1 of 3: its training ended early/,
      );
      warned(ended, /its test accuracy is of update 0, and it was trained for \d/);
      const whole = pipeline(world, 'rx.map((x) => x)', `updates$, ${tests}`);
      const silent = succeeded(await world.weir('run', whole, '--run', world.path('run 2')));
      right(!/ended early|is of update/.test(silent.err), `a whole training was told of:\n${silent.err}`);
    },
  },
  {
    name: 'engine: updates that are logged too late are refused with the remedy',
    async play(world) {
      const module = pipeline(world, 'rx.map((x) => x)', 'updates$: updates$.pipe(rx.delay(30))');
      const ended = await world.weir('run', module, '--run', world.path('run'));
      refused(ended, /the loss of update \d+ is read too late: training has moved on/);
      warned(ended, /no delay, debounce or buffer/);
    },
  },
];
