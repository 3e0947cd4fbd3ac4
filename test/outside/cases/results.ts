import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { hashOf, call as weir } from '../../cli/weir.js';
import { type Case, refused, right, succeeded, type World, warned } from '../case.js';

/** Three networks, of which two branch off the first at its third epoch; each is trained, tested and attacked. */
const body = (index: string) => `import * as weir from '${index}';
const { z } = weir;
export default weir.pipeline({
  name: 'three',
  config: {
    epochs: z.int().default(12), burnIn: z.int().default(3), gamma: z.number().default(0.01),
    iterations: z.int().default(3), attacked: z.int().default(6),
    regularizers: z.array(z.string()).default(['none', 'rep-spectral', 'll-spectral']),
  },
  networks: (config, seed) => weir.eachRegularizer({ ...config, seed }),
  wire({ config, network, seed }) {
    const points = weir.xor({ noise: { perCorner: 6, std: 0.1 } });
    const model = weir.mlp([2, 16, 2]);
    const regularizer = weir.regularizer(network.regularizer, model, { gamma: config.gamma, from: { epoch: config.burnIn }, seed });
    const updates$ = weir.loader(points, { epochs: config.epochs, seed }).pipe(
      weir.augment([], { seed }), weir.batch(6),
      weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: 0.3, momentum: 0.9 }), regularizer, seed }),
    );
    const ticks$ = updates$.pipe(weir.every({ updates: 1 }), weir.spectralTick(regularizer));
    const tests$ = updates$.pipe(weir.every({ epochs: 1 }), weir.accuracy(model, points));
    const attacks$ = updates$.pipe(weir.atEnd(), weir.tangentAttack(model, points, { samples: config.attacked, iterations: config.iterations, box: { min: -4, max: 4 }, seed }));
    return { updates$, ticks$, tests$, attacks$ };
  },
});
`;

/** A finished run of it, made once for all cases. */
interface Made {
  readonly run: string;
  readonly module: string;
  /** The output of `weir hash --all` for it. */
  readonly hash: string;
}

let making: Promise<Made> | undefined;

function made(): Promise<Made> {
  making ??= make();
  return making;
}

async function make(): Promise<Made> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-results-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const module = join(folder, 'three.mts');
  writeFileSync(module, body(pathToFileURL(join(import.meta.dirname, '../../../src/index.ts')).href));
  const run = join(folder, 'run');
  succeeded(await weir('run', module, '--run', run, '--snapshot-updates', '8', '--no-control'));
  return { run, module, hash: await hashOf(run) };
}

/** A copy of the finished run, in the folder of a case. */
async function copied(world: World, name = 'run'): Promise<Made> {
  const whole = await made();
  const run = world.path(name);
  cpSync(whole.run, run, { recursive: true });
  return { ...whole, run };
}

/** A run of it that was killed when its first network was done, and the others had not begun. */
async function killedAfterFirst(world: World, run = world.path('run')): Promise<Made> {
  const whole = await copied(world);
  for (const network of ['rep-spectral', 'll-spectral']) {
    rmSync(join(run, 'snapshots', network), { recursive: true });
  }
  return whole;
}

const files = (run: string, network: string): string[] => readdirSync(join(run, 'snapshots', network)).sort();
const file = (run: string, network: string, label: string): string =>
  join(run, 'snapshots', network, files(run, network).find((name) => name.endsWith(`-${label}.snapshot`))!);
const log = (run: string): string => join(run, 'metrics.ndjson');

function flip(path: string, from = -40): void {
  const bytes = readFileSync(path);
  bytes[(bytes.length + from) % bytes.length]! ^= 4;
  writeFileSync(path, bytes);
}

/** The run ends as it was before: the same state and log, and every line of it once. */
async function asBefore(run: string, hash: string): Promise<void> {
  const now = await hashOf(run);
  right(now === hash, `weir hash --all is ${now} and was ${hash}`);
}

/** Every command that reads results refuses a folder whose snapshots are not its own, and the table of runs marks it. */
async function foreignTo(world: World, run: string, why: RegExp): Promise<void> {
  await refusedBy(['report', run], why);
  await refusedBy(['hash', run], why);
  await refusedBy(['export', run, world.path('weights.safetensors'), '--network', 'rep-spectral'], why);
  await refusedBy(['attack', run, '--run', world.path('again'), '--no-control'], why);
  warned(await weir('status', run), why);
  right(!existsSync(world.path('again')), 'a refused attack has left a folder');
}

const resumed = (run: string, ...more: string[]) => weir('resume', run, '--no-control', ...more);

/** A module that makes calls of the file system fail, as a disk does; for NODE_OPTIONS. */
function failingDisk(world: World, code: string): NodeJS.ProcessEnv {
  const module = world.write(
    'failing-disk.mjs',
    `import fs from 'node:fs';\nimport { syncBuiltinESMExports } from 'node:module';\n${code}\nsyncBuiltinESMExports();\n`,
  );
  return { NODE_OPTIONS: `--import=${pathToFileURL(module).href}` };
}

const unreadable = (suffix: string, times: number): string => `
  const open = fs.openSync; let left = ${times};
  fs.openSync = (path, ...rest) => {
    if (String(path).endsWith('${suffix}') && rest[0] === 'r' && left-- > 0) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
    return open(path, ...rest);
  };`;

async function withFailingDisk(world: World, code: string, ...args: string[]) {
  const { start } = await import('../../cli/weir.js');
  return start(failingDisk(world, code), ...args).ended;
}

const altered: Case[] = ['none', 'rep-spectral', 'll-spectral'].map((network, i) => ({
  name: `results: the last snapshot of finished network ${i + 1} of 3 is altered`,
  quick: i === 0,
  async play(world) {
    const { run, hash } = await copied(world);
    const before = readFileSync(log(run), 'utf8');
    flip(file(run, network, 'done'));
    const ended = await resumed(run);
    succeeded(ended);
    warned(ended, new RegExp(`network '${network}', which was finished, is trained again from`));
    right(readFileSync(log(run), 'utf8') === before, 'the log is another');
    await asBefore(run, hash);
  },
}));

/** The printed numbers of a run whose files were altered, whatever the exit status: those that a user would take. */
const readings: readonly (readonly string[])[] = [
  ['hash', '--all'],
  ['report', '--json'],
  ['status', '--json'],
];

/** Of a report or a status all that does not depend on when it was asked. */
const numbersOf = (text: string): string =>
  text.replace(/"(createdAt|snapshotAge|seconds|path|run)": ?("[^"]*"|[\d.e-]+)/g, '').replaceAll(/\/tmp\/[^"]*/g, '');

const refusedBy = async (args: readonly string[], why: RegExp): Promise<void> => refused(await weir(...args), why);

export const results: readonly Case[] = [
  ...altered,
  {
    name: 'results: killed while a finished network is made again, and resumed',
    async play(world) {
      const { run, hash } = await copied(world);
      flip(file(run, 'none', 'done'));
      const first = world.start('resume', run, '--no-control', '--snapshot-updates', '1');
      const again = (): boolean => files(run, 'none').some((name) => name > '000006' && !name.includes('altered'));
      while (first.child.exitCode === null && !again()) await new Promise((next) => setTimeout(next, 2));
      first.child.kill('SIGKILL');
      await first.ended;
      succeeded(await resumed(run));
      await asBefore(run, hash);
    },
  },
  ...(['altered', 'gone'] as const).map((how) => ({
    name: `results: the snapshot that networks to come branch off is ${how}`,
    async play(world: World) {
      const { run, hash } = await killedAfterFirst(world);
      const trunk = file(run, 'none', 'epoch-3');
      const finished = readFileSync(file(run, 'none', 'done'));
      if (how === 'gone') rmSync(trunk);
      else flip(trunk);
      const ended = succeeded(await resumed(run));
      warned(ended, /the snapshot of 'none' at the end of epoch 3 is lost: it is made again/);
      right(readFileSync(file(run, 'none', 'done')).equals(finished), 'the finished network was written over');
      right(files(run, 'none').at(-1)!.includes('done'), files(run, 'none').join());
      await asBefore(run, hash);
    },
  })),
  {
    name: 'results: killed while the snapshot that others branch off is made again, and resumed',
    async play(world) {
      const { run, hash } = await killedAfterFirst(world);
      flip(file(run, 'none', 'epoch-3'));
      const first = world.start('resume', run, '--no-control', '--snapshot-updates', '1');
      const beside = join(run, 'snapshots/none/again');
      while (first.child.exitCode === null && !existsSync(beside)) await new Promise((next) => setTimeout(next, 1));
      first.child.kill('SIGKILL');
      await first.ended;
      succeeded(await resumed(run));
      await asBefore(run, hash);
    },
  },
  {
    name: 'results: a snapshot cannot be read at first (EIO), no byte of it altered',
    async play(world) {
      const { run, hash } = await copied(world);
      const ended = await withFailingDisk(world, unreadable('-done.snapshot', 2), 'resume', run, '--no-control');
      succeeded(ended);
      right(!/made again|instead/.test(ended.err), ended.err);
      await asBefore(run, hash);
    },
  },
  {
    name: 'results: a snapshot cannot be read at all (EIO), no byte of it altered',
    quick: true,
    async play(world) {
      const { run, hash } = await copied(world);
      const lasting = unreadable('-done.snapshot', 1000);
      for (const args of [
        ['resume', run, '--no-control'],
        ['hash', run],
        ['export', run, world.path('w'), '--network', 'none'],
      ]) {
        refused(
          await withFailingDisk(world, lasting, ...args),
          /cannot read snapshot .*the disk failed \(EIO\)[\s\S]*nothing was changed/,
        );
      }
      await asBefore(run, hash);
    },
  },
  {
    name: 'results: the log of a finished run was cut, deleted, or one digit of it altered',
    async play(world) {
      const { run } = await copied(world);
      const whole = readFileSync(log(run), 'utf8');
      for (const text of [
        whole.slice(0, whole.length / 2),
        undefined,
        whole.replace(/"loss":0\.(\d)/, (_, digit) => `"loss":0.${9 - digit}`),
      ]) {
        if (text === undefined) rmSync(log(run));
        else writeFileSync(log(run), text);
        const why = /the metric log of .* (was cut|is gone|is altered)/;
        await refusedBy(['report', run], why);
        await refusedBy(['resume', run, '--no-control'], why);
        await refusedBy(['export', run, world.path('metrics.csv')], why);
        await refusedBy(['attack', run, '--no-control'], why);
        await refusedBy(['hash', run, '--all'], why);
        const [{ state }] = JSON.parse((await weir('status', run, '--json')).out) as [{ state: string }];
        right(state === 'damaged', `weir status says ${state}`);
        right(
          text === undefined ? !existsSync(log(run)) : readFileSync(log(run), 'utf8') === text,
          'the log was written to',
        );
      }
    },
  },
  {
    name: 'results: a run that is stopped, and a digit of its log altered',
    async play(world) {
      const { run } = await killedAfterFirst(world);
      const whole = readFileSync(log(run), 'utf8');
      writeFileSync(
        log(run),
        whole.replace(/"loss":0\.(\d)/, (_, digit) => `"loss":0.${9 - digit}`),
      );
      await refusedBy(['resume', run, '--no-control'], /the metric log of .* is altered/);
    },
  },
  {
    name: 'results: an attack asked for again after a full disk',
    async play(world) {
      const { run } = await copied(world);
      const full = `const write = fs.writeSync; let left = 4000;
        fs.writeSync = (file, data, ...rest) => { if (data.length > 300 && (left -= data.length) < 0) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }); return write(file, data, ...rest); };`;
      const args = ['attack', run, '--run', world.path('again'), '--no-control', '--set', 'iterations=4'];
      const first = await withFailingDisk(world, full, ...args);
      refused(first, /full|ENOSPC/);
      writeFileSync(log(world.path('again')), readFileSync(log(run)).subarray(0, 5000)); // the rest of a larger log
      succeeded(await weir(...args));
      const lines = (path: string): number => readFileSync(log(path), 'utf8').trimEnd().split('\n').length;
      right(lines(world.path('again')) === lines(run), `${lines(world.path('again'))} lines for ${lines(run)}`);
    },
  },
  {
    name: 'results: a report of two runs leaves those of each',
    quick: true,
    async play(world) {
      const [a, b] = [(await copied(world, 'a')).run, (await copied(world, 'b')).run];
      const before = readFileSync(join(a, 'report/report.json'), 'utf8');
      const { out } = succeeded(await world.weir('report', a, b));
      const html = out.trimEnd().split('\n').at(-1)!;
      right(existsSync(html), `${html} is not there`);
      rmSync(join(html, '..'), { recursive: true });
      right(readFileSync(join(a, 'report/report.json'), 'utf8') === before, "the first run's report was written over");
    },
  },
  {
    name: 'results: weights of a finished network whose last snapshot is altered',
    async play(world) {
      const { run } = await copied(world);
      flip(file(run, 'none', 'done'));
      const why = /is altered[\s\S]*weir resume/;
      await refusedBy(['export', run, world.path('weights.safetensors'), '--network', 'none'], why);
      await refusedBy(['hash', run], why);
      await refusedBy(['hash', run, '--all'], why);
      await refusedBy(['attack', run, '--run', world.path('again'), '--no-control'], why);
      right(!existsSync(world.path('weights.safetensors')), 'a file was written');
      right(!existsSync(world.path('again')), 'a run was begun');
    },
  },
  {
    name: 'results: one torn config.json among other runs',
    async play(world) {
      await copied(world, 'runs/a');
      const { run } = await copied(world, 'runs/b');
      await copied(world, 'runs/c');
      const config = join(run, 'config.json');
      truncateSync(config, 100);
      for (const args of [[world.path('runs')], ['a', 'b', 'c'].map((name) => world.path('runs', name))].map((paths) =>
        paths.flat(),
      )) {
        const { out } = succeeded(await weir('status', ...args, '--json'));
        const states = (JSON.parse(out) as { state: string; damage: string | null }[]).map(({ state }) => state);
        right(states.join() === 'done,damaged,done', states.join());
        const table = succeeded(await weir('status', ...args)).out;
        right(/damaged .*config\.json is damaged/.test(table), table);
      }
      await refusedBy(['resume', run], /config\.json is damaged/);
      await refusedBy(['report', world.path('runs/a'), run], /config\.json is damaged/);
    },
  },
  {
    name: 'results: jobs of a sweep of which one has a torn config.json and one a log that was cut',
    async play(world) {
      const { module } = await made();
      const sweep = world.path('sweep');
      const args = ['--run', sweep, '--seeds', '0..2', '--set', 'regularizers=["none"]', '--jobs', '1'];
      succeeded(await weir('sweep', module, ...args));
      const jobs = readdirSync(join(sweep, 'jobs')).sort();
      truncateSync(join(sweep, 'jobs', jobs[0]!, 'config.json'), 100);
      truncateSync(log(join(sweep, 'jobs', jobs[1]!)), 1000);
      const { out } = succeeded(await weir('sweep', sweep, '--status'));
      right((out.match(/^damaged/gm) ?? []).length === 2, out);
      const report = await weir('report', sweep, '--json');
      right(report.status === 1, `status ${report.status} of a report of one job in three`);
      warned(report, /config\.json is damaged[\s\S]*metric log of .* was cut/);
      const again = await weir('sweep', sweep);
      right(again.status === 1 && again.out.includes('2 failed'), `status ${again.status}: ${again.out}`);
    },
  },
  {
    name: "results: a job of a sweep that holds another job's snapshots and log",
    async play(world) {
      const { module } = await made();
      const sweep = world.path('sweep');
      const args = ['--run', sweep, '--seeds', '0..1', '--set', 'regularizers=["none"]', '--jobs', '1'];
      succeeded(await weir('sweep', module, ...args));
      const [one, other] = readdirSync(join(sweep, 'jobs')).map((job) => join(sweep, 'jobs', job));
      for (const part of ['snapshots', 'metrics.ndjson']) {
        rmSync(join(one!, part), { recursive: true });
        cpSync(join(other!, part), join(one!, part), { recursive: true });
      }
      const again = await weir('sweep', sweep);
      right(again.status === 1, `status ${again.status}: ${again.out}`);
      warned(again, /is left out, for it is damaged/);
    },
  },
  {
    name: 'results: a run begun where the snapshots of another are, whose config is gone',
    async play(world) {
      const { run, module } = await copied(world);
      rmSync(join(run, 'config.json'));
      await refusedBy(['run', module, '--run', run, '--seed', '1', '--no-control'], /there are snapshots of a run in/);
      for (const read of ['resume', 'report', 'hash']) await refusedBy([read, run], /whose config\.json is gone/);
    },
  },
  {
    name: 'results: the snapshots of two networks have changed places',
    quick: true,
    async play(world) {
      const { run } = await copied(world);
      const [a, b] = ['rep-spectral', 'll-spectral'].map((name) => join(run, 'snapshots', name));
      renameSync(a!, world.path('aside'));
      renameSync(b!, a!);
      renameSync(world.path('aside'), b!);
      await foreignTo(world, run, /is of the network 'll-spectral', and lies where those of 'rep-spectral' do/);
      await refusedBy(['resume', run, '--no-control'], /is of the network 'll-spectral'/);
    },
  },
  {
    name: 'results: config and identity of a finished run edited alike',
    async play(world) {
      const { run } = await copied(world);
      for (const name of ['config.json', 'identity.json']) {
        const path = join(run, name);
        writeFileSync(path, readFileSync(path, 'utf8').replaceAll('"gamma": 0.01', '"gamma": 0.5'));
      }
      await foreignTo(world, run, /was made with other config, data or code, or by another run/);
    },
  },
  {
    name: 'results: identity.json of a finished run deleted, and its config edited',
    async play(world) {
      const { run } = await copied(world);
      rmSync(join(run, 'identity.json'));
      const path = join(run, 'config.json');
      writeFileSync(path, readFileSync(path, 'utf8').replace('"gamma": 0.01', '"gamma": 0.5'));
      await foreignTo(world, run, /its identity\.json is gone/);
    },
  },
  {
    name: 'results: single bits of every kind of file of a finished run',
    async play(world) {
      const { run } = await copied(world);
      const wanted = await Promise.all(
        readings.map(async ([name, ...rest]) => numbersOf(succeeded(await weir(name!, run, ...rest)).out)),
      );
      const kinds = [
        join(run, 'config.json'),
        join(run, 'identity.json'),
        log(run),
        file(run, 'none', 'done'),
        file(run, 'none', 'epoch-3'),
        file(run, 'rep-spectral', 'done'),
        file(run, 'll-spectral', 'done'),
      ];
      for (const path of kinds) {
        const whole = readFileSync(path);
        for (const part of [0.3, 0.999]) {
          const bytes = Buffer.from(whole);
          bytes[Math.floor(part * bytes.length)]! ^= 1;
          writeFileSync(path, bytes);
          const ended = await Promise.all(readings.map(([name, ...rest]) => weir(name!, run, ...rest)));
          for (const [i, { status, out }] of ended.entries()) {
            const said = status !== 0 || /"state": "damaged"/.test(out);
            const what = `${path} at ${part}: weir ${readings[i]![0]} gives ${out.slice(0, 300)}`;
            right(said || numbersOf(out) === wanted[i], what);
          }
        }
        writeFileSync(path, whole);
      }
    },
  },
];
