import { readFileSync, writeFileSync } from 'node:fs';
import { type Case, right, succeeded, type World, warned } from '../case.js';

/** A small network on XOR, with a key of the user's and a regularizer that no list of networks names. */
const own = `
export default weir.pipeline({
  name: 'own',
  config: {
    rate: weir.z.number().default(0.3),
    flavor: weir.z.string().default('plain'),
    gamma: weir.z.number().default(0),
  },
  wire({ config, seed }) {
    const points = weir.xor();
    const model = weir.mlp([2, config.flavor === 'plain' ? 4 : 8, 2]);
    const regularizer = config.gamma > 0 ? weir.spectralRegularizer('rep-spectral', model, { gamma: config.gamma }) : undefined;
    const updates$ = weir.loader(points, { epochs: 2, seed }).pipe(
      weir.augment([], { seed }),
      weir.batch(4),
      weir.train(model, {
        loss: weir.crossEntropy(),
        optimizer: weir.sgd({ rate: config.rate }),
        seed,
        ...(regularizer && { regularizer }),
      }),
    );
    const tests$ = updates$.pipe(weir.accuracy(model, points));
    const ticks$ = regularizer && updates$.pipe(weir.every({ updates: 1 }), weir.spectralTick(regularizer));
    return { updates$, tests$, ...(ticks$ && { ticks$ }) };
  },
});
`;

/** Networks of one run that differ in their width, and are called so. */
const widths = `
export default weir.pipeline({
  name: 'widths',
  config: {},
  networks: (_, seed) => [2, 8].map((hidden) => ({ name: 'hidden-' + hidden, seed, hidden })),
  wire({ network, seed }) {
    const points = weir.xor();
    const model = weir.mlp([2, network.hidden, 2]);
    const updates$ = weir.loader(points, { epochs: 1, seed }).pipe(
      weir.augment([], { seed }),
      weir.batch(4),
      weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: 0.1 }), seed }),
    );
    return { updates$, tests$: updates$.pipe(weir.accuracy(model, points)) };
  },
});
`;

interface Written {
  readonly regularizers: readonly {
    readonly label: string;
    readonly networks: number;
    readonly seeds: number;
    readonly testAccuracy: { readonly values: readonly number[]; readonly standardDeviation: number | null };
  }[];
  readonly differences: readonly { readonly keys: readonly string[]; readonly conditions: readonly unknown[] }[];
  readonly comparisons: readonly unknown[];
}

/** A run of the module for each list of options, and the report over all of them. */
async function reported(world: World, module: string, runs: readonly (readonly string[])[], ...more: string[]) {
  const folders = runs.map((_, i) => world.path(`run${i}`));
  for (const [i, options] of runs.entries()) {
    succeeded(await world.weir('run', module, '--run', folders[i]!, ...options));
  }
  const { out } = succeeded(await world.weir('report', ...folders, '--json', ...more));
  const written = JSON.parse(out) as Written;
  const labels = written.regularizers.map(({ label, networks }) => `${label} × ${networks}`);
  return { ...written, labels: labels.sort(), folders };
}

const same = (found: readonly unknown[], ...wanted: readonly unknown[]): void =>
  right(
    JSON.stringify(found) === JSON.stringify(wanted),
    `it compares ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`,
  );

export const report: readonly Case[] = [
  {
    name: 'report: runs of other rates are no repetitions of each other, and what differs stands first',
    quick: true,
    async play(world) {
      const module = world.module('own.mts', own);
      const runs = [
        ['--set', 'rate=0.1'],
        ['--set', 'rate=0.5'],
        ['--set', 'rate=0.5', '--seed', '1'],
      ];
      const { labels, differences, comparisons, folders } = await reported(world, module, runs);
      same(labels, 'rate=0.1: none × 1', 'rate=0.5: none × 2');
      same(differences[0]?.keys ?? [], 'rate');
      same(comparisons);
      succeeded(await world.weir('report', ...folders, '--out', world.path('all')));
      const page = readFileSync(world.path('all', 'report.html'), 'utf8');
      const [table, verdict] = ['What differs between the runs', 'class="verdict"'].map((text) => page.indexOf(text));
      right(table! > 0 && table! < verdict!, 'the page does not begin with what differs');
    },
  },
  {
    name: "report: runs that differ in a key of the user's are told apart, and repetitions of one are not",
    async play(world) {
      const runs = [
        ['--set', 'flavor=plain'],
        ['--set', 'flavor=sour'],
        ['--set', 'flavor=sour', '--seed', '3'],
      ];
      const { labels } = await reported(world, world.module('own.mts', own), runs);
      same(labels, 'flavor=plain: none × 1', 'flavor=sour: none × 2');
    },
  },
  {
    name: "report: a network with a regularizer that its pipeline does not list is not called 'none'",
    async play(world) {
      const { labels } = await reported(world, world.module('own.mts', own), [['--set', 'gamma=0.01']]);
      same(labels, 'rep-spectral × 1');
    },
  },
  {
    name: 'report: networks of one run that differ by more than the seed are told apart by their names',
    async play(world) {
      const { labels } = await reported(world, world.module('widths.mts', widths), [[]]);
      same(labels, 'hidden-2: none × 1', 'hidden-8: none × 1');
    },
  },
  {
    name: 'report: a run that is named twice, and a copy of it, are one training and not two',
    quick: true,
    async play(world) {
      const module = world.module('own.mts', own);
      const folders = [world.path('one'), world.path('other')];
      for (const folder of folders) succeeded(await world.weir('run', module, '--run', folder));
      const over = async (...runs: string[]) =>
        JSON.parse(succeeded(await world.weir('report', ...runs, '--json')).out) as Written & {
          readonly notes: readonly string[];
        };
      const named = await over(folders[0]!, `${folders[0]}/`);
      right(named.regularizers[0]?.networks === 1, 'a folder that is named twice counts as two networks');
      right(
        named.notes.some((note) => /named twice; it counts once/.test(note)),
        'and the report is silent',
      );
      const [copied] = (await over(...folders)).regularizers;
      const { values, standardDeviation } = copied!.testAccuracy;
      right(values.length === 1 && standardDeviation === null, `one seed has a spread of ${standardDeviation}`);
    },
  },
  {
    name: 'report: a run that was stopped on its way says that its numbers are those so far',
    quick: true,
    async play(world) {
      const stops = `updates$.pipe(weir.stage({ name: 'stops', start: () => 0, next(state, update) {
        if (update.number === 1) process.kill(process.pid, 'SIGTERM');
        return [state];
      } }))`;
      const text = own
        .replace('epochs: 2', 'epochs: 50')
        .replace('{ updates$, tests$,', `{ updates$, stops$: ${stops}, tests$,`);
      const run = world.path('run');
      const { status } = await world.weir('run', world.module('own.mts', text), '--run', run);
      if (status !== 75) throw new Error(`it did not stop, but ended with ${status}`);
      const { notes } = JSON.parse(succeeded(await world.weir('report', run, '--json')).out) as {
        readonly notes: readonly string[];
      };
      right(
        notes.some((note) => /is not at its end: .* those so far/.test(note)),
        `the report is silent: ${notes}`,
      );
      const exported = succeeded(await world.weir('export', run, world.path('weights.safetensors')));
      warned(exported, /'own' is not finished: these are the weights of its newest snapshot/);
      succeeded(await world.weir('resume', run));
      const after = JSON.parse(succeeded(await world.weir('report', run, '--json')).out) as {
        readonly notes: readonly string[];
      };
      right(after.notes.length === 0, `a finished run has notes: ${after.notes}`);
    },
  },
  {
    name: 'report: runs of a module that was edited in between are told apart',
    async play(world) {
      const module = world.module('own.mts', own);
      const folders = [world.path('before'), world.path('after')];
      succeeded(await world.weir('run', module, '--run', folders[0]!));
      writeFileSync(
        module,
        readFileSync(module, 'utf8').replace('weir.crossEntropy()', 'weir.crossEntropy({ smoothing: 0.1 })'),
      );
      succeeded(await world.weir('run', module, '--run', folders[1]!, '--seed', '1'));
      const { out } = succeeded(await world.weir('report', ...folders, '--json', '--accept-changes'));
      const { regularizers, differences } = JSON.parse(out) as Written;
      right(regularizers.length === 2, `two modules are one method: ${JSON.stringify(regularizers)}`);
      same(differences[0]?.keys ?? [], 'module');
    },
  },
];
