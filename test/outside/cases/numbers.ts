import { readFileSync, writeFileSync } from 'node:fs';
import { type Case, refused, right, succeeded, type World, warned } from '../case.js';

/** A small network on noisy XOR whose readout is fitted anew at the end, and attacked. */
const refitted = `
export default weir.pipeline({
  name: 'refitted',
  config: { epochs: weir.z.int().default(2), from: weir.z.string().default(''), fit: weir.z.enum(['scikit-learn', 'converged']).default('scikit-learn') },
  wire({ config, seed }) {
    const points = weir.xor({ noise: { std: 0.6 }, seed: 1 });
    const bare = weir.mlp([2, 8, 2]);
    const model = config.from === '' ? bare : weir.startingFrom(bare, config.from);
    const updates$ = weir.loader(points, { epochs: config.epochs, seed }).pipe(
      weir.augment([], { seed }),
      weir.batch(40),
      weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: 0.3 }), seed }),
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

/** Networks of three methods, trained on nothing much, whose accuracy is put where a test is to find it: scipy's values are known. */
const compared = `
import { map } from '${import.meta.resolve('rxjs')}';
const found = { none: [0.86, 0.95, 0.89], 'll-spectral': [0.9, 0.93, 0.91], 'rep-spectral': [1, 1.02, 0.98, 1.01] };
export default weir.pipeline({
  name: 'compared',
  config: {},
  networks: () =>
    Object.entries(found).flatMap(([regularizer, all], i) =>
      all.map((accuracy, n) => ({ name: \`\${regularizer}-s\${10 * i + n}\`, regularizer, seed: 10 * i + n, accuracy })),
    ),
  wire({ network, seed }) {
    const points = weir.xor();
    const model = weir.mlp([2, 2, 2]);
    const updates$ = weir.loader(points, { epochs: 1, seed }).pipe(
      weir.augment([], { seed }),
      weir.batch(4),
      weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: 0.1 }), seed }),
    );
    const tests$ = updates$.pipe(weir.accuracy(model, points), map((test) => ({ ...test, accuracy: network.accuracy })));
    return { updates$, tests$ };
  },
});
`;

/** σ of a hidden layer whose weights come from a file. */
const measured = `
export default weir.pipeline({
  name: 'measured',
  config: { from: weir.z.string() },
  wire({ config, seed }) {
    const points = weir.xor();
    const model = weir.startingFrom(weir.mlp([2, 2, 2]), config.from);
    const updates$ = weir.loader(points, { epochs: 1, seed }).pipe(
      weir.augment([], { seed }),
      weir.batch(4),
      weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: 0.1 }), seed }),
    );
    return { updates$, sigmas$: updates$.pipe(weir.layerNorms(model)) };
  },
});
`;

/** Tensors as a safetensors file, by its specification. */
function safetensors(
  tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly values: readonly number[] }>>,
): Buffer {
  let at = 0;
  const header: Record<string, unknown> = {};
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    const end = at + 4 * values.length;
    header[name] = { dtype: 'F32', shape, data_offsets: [at, end] };
    at = end;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const data = Object.values(tensors).map(({ values }) => Buffer.from(Float32Array.from(values).buffer));
  return Buffer.concat([length, text, ...data]);
}

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
      warned(succeeded(await world.weir('export', run, files.attacked)), /fitted anew.*--readout trained/);
      succeeded(await world.weir('export', run, files.trained, '--readout', 'trained'));
      refused(await world.weir('export', run, world.path('no.safetensors'), '--readout', 'other'), /readout, trained/);

      const found = await lossOf(world, module, files.attacked);
      right(close(found, attacked), `the file's network has loss ${found}, the one attacked ${attacked}`);
      const other = await lossOf(world, module, files.trained);
      right(close(other, trained), `the file of the trained one has loss ${other}, not ${trained}`);
    },
  },
  {
    name: 'numbers: σ of a dense layer in curves and reports is the largest, however close the second is',
    async play(world) {
      // σ₁ = 2.9848 at right angles to where a search would start, σ₂ = 2.9738 along it.
      const [c, s] = [0.9971, 0.0761];
      const file = world.path('close.safetensors');
      const hidden = [2.9848 * -s, 2.9848 * c, 2.9738 * c, 2.9738 * s].map((value) => value / Math.hypot(c, s));
      writeFileSync(
        file,
        safetensors({
          'hidden1.weight': { shape: [2, 2], values: hidden },
          'hidden1.bias': { shape: [2], values: [0, 0] },
          'fc.weight': { shape: [2, 2], values: [1, 0, 0, 1] },
          'fc.bias': { shape: [2], values: [0, 0] },
        }),
      );
      const run = world.path('run');
      succeeded(await world.weir('run', world.module('measured.mts', measured), '--run', run, '--set', `from=${file}`));
      const { sigma } = logOf(run).find(({ stream, number }) => stream === 'sigmas' && number === 0)!;
      const found = (sigma as { hidden1: number }).hidden1;
      right(Math.abs(found - 2.9848) < 1e-4, `σ ${found} where 2.9848 is right`);
    },
  },
  {
    name: "numbers: interval and p of a report are of one Student's t, and p is corrected for every comparison",
    quick: true,
    async play(world) {
      const run = world.path('run');
      succeeded(await world.weir('run', world.module('compared.mts', compared), '--run', run));
      const { out } = succeeded(await world.weir('report', run, '--json'));
      type Pair = { a: string; b: string; p: number; lower: number; upper: number; pCorrected: number };
      const { correction, comparisons } = JSON.parse(out) as { correction: unknown; comparisons: Pair[] };
      const pair = comparisons.find(({ a, b }) => a === 'rep-spectral' && b === 'none')!;
      const shown = JSON.stringify([correction, comparisons]);
      right(
        Math.abs(pair.p - 0.0492167) < 1e-6 && Math.abs(pair.lower - 0.000756135) < 1e-6,
        `of scipy apart: ${shown}`,
      );
      right(Math.abs(pair.pCorrected - 2 * 0.0492167) < 1e-6, `not corrected for three comparisons: ${shown}`);
      const page = readFileSync(`${run}/report/report.html`, 'utf8');
      right(page.includes('Holm’s correction over the 3 tests'), 'the page does not say that p is corrected');
    },
  },
  {
    name: 'numbers: a readout says how it was fitted and whether it converged, in log and report',
    async play(world) {
      const module = world.module('refitted.mts', refitted);
      for (const [fit, limit] of [
        ['scikit-learn', 100],
        ['converged', 10_000],
      ] as const) {
        const run = world.path(fit);
        succeeded(await world.weir('run', module, '--run', run, '--set', `fit=${fit}`));
        const line = last(run, 'readouts');
        right(line.fit === fit && line.iterationLimit === limit, `the log says ${JSON.stringify(line)}`);
        const { out } = succeeded(await world.weir('report', run, '--json'));
        const how = fit === 'converged' ? 'until they converge' : "by scikit-learn's default, at most 100 iterations";
        right(out.includes(`Readouts are fitted ${how}`), `the report does not say that readouts are fitted ${how}`);
      }
    },
  },
];
