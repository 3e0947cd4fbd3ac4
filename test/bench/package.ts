import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * Weir as a user gets it: the tarball of `npm pack`, installed into empty folders by npm 10 and npm 11 without flags, where only the
 * registry can be reached. The types of a module of the user's pass with TypeScript 5.9 and 7; what `init` writes runs and passes.
 *
 * It takes some minutes, most of them npm's; where the registry cannot be reached it is skipped, and says so.
 */
export async function bench(): Promise<boolean> {
  if (!(await registryAnswers())) {
    console.log('package: skipped, for the registry cannot be reached');
    return true;
  }
  const folder = mkdtempSync(join(tmpdir(), 'weir-package-'));
  try {
    const tarball = await timed('pack', () => pack(folder));
    console.log(`  ${(statSync(tarball).size / 1e6).toFixed(1)} MB`);
    for (const npm of ['npm@10', 'npm@11']) {
      const project = await empty(folder, npm.replace('@', '-'));
      await timed(`${npm} i, in an empty folder`, () => run(project, 'npx', '-y', npm, 'i', tarball));
      await timed('  each entry is imported', () => run(project, process.execPath, '-e', imports));
      await timed('  a pipeline of the paper', () =>
        run(project, 'npx', 'weir', 'run', xor, ...small, '--run', 'runs/xor'),
      );
      await timed('  worker threads', () => run(project, 'npx', 'weir', 'run', 'threads.ts', '--run', 'runs/threads'));
      for (const typescript of ['typescript@5.9', 'typescript@7']) await checkTypes(project, npm, typescript);
    }
    await project(folder, tarball);
    return true;
  } catch (error) {
    const { message, stdout = '', stderr = '' } = error as Error & { stdout?: string; stderr?: string };
    console.log(`FAILED: ${message}\n${stdout}${stderr}`);
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const root = join(import.meta.dirname, '../..');
const entries = ['', '/attack', '/augment', '/report', '/sweep', '/testing'];
const imports = entries.map((entry) => `await import('weir-engine${entry}');`).join(' ');
const xor = 'node_modules/weir-engine/pipelines/xor.ts';
const small = ['--set', 'seeds=1', '--set', 'epochs=100', '--set', 'regularizers=none'];

/** A module of the user's: parts of its own, by the exported contracts, with a use of each entry. */
const module = `
import * as weir from 'weir-engine';
import { type AttackMethod, tangentAttack, usualBox } from 'weir-engine/attack';
import { gaussianBlur, type OpDefinition, type Recipe } from 'weir-engine/augment';
import { collectReport, type Report, RunFolder } from 'weir-engine/report';
import { type GridOf, sweep } from 'weir-engine/sweep';
import { expectReplay, WeirError } from 'weir-engine/testing';

interface Seen { readonly position: number; readonly seen: number }
const seen = weir.record({ name: 'seen', role: 'measurement', fields: { seen: weir.quantity({ label: 'samples seen' }) } });
export const count: weir.Stage<weir.Update, Seen, number> = {
  name: 'count', record: seen, start: () => 0,
  next: (n, { position }) => [n + 1, { position, seen: n + 1 }],
};
export const random: AttackMethod<number> = {
  start: () => 0, *search(_, state) { yield state + 1; }, fields: (iterations) => ({ iterations, start: 'none' }),
};
export const recipe: Recipe = [gaussianBlur({ kernel: 3, sigma: [0.1, 2] })];
export const definition: OpDefinition<{ readonly op: 'same' }> = { kind: 'light', prepare: () => () => undefined };
const pipeline = weir.pipeline({
  name: 'typed', config: { epochs: weir.z.int().default(2) },
  wire({ config, seed }) {
    const points = weir.xor();
    const model = weir.mlp([2, 4, 2]);
    const updates$ = weir.loader(points, { epochs: config.epochs, seed }).pipe(
      weir.augment([], { seed }), weir.batch(4),
      weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: 1 }), seed }));
    const attacks$ = updates$.pipe(weir.atEnd(), tangentAttack(model, points, { samples: 4, box: usualBox(undefined), seed }));
    return { updates$, counts$: updates$.pipe(weir.stage(count)), attacks$ };
  },
});
export default pipeline;
export const grid: GridOf<typeof pipeline> = { epochs: [1, 2] };
export const later = () => sweep<typeof pipeline>({ module: 'typed.ts', grid });
export const read = (path: string): Report => collectReport([RunFolder.open(path)]);
export const replayed = () => expectReplay(weir.batch(2), { input: 'a', output: 'b' });
export const isOurs = (error: unknown): boolean => error instanceof WeirError;
// @ts-expect-error: a key that the config does not have
export const wrong: GridOf<typeof pipeline> = { epoch: [1] };
`;

/** Images with an op that is worked on in threads. */
const threads = `
import * as weir from 'weir-engine';
export default weir.pipeline({
  name: 'threads', config: {},
  wire({ seed }) {
    const values = Array.from({ length: 64 * 192 }, (_, i) => (i * 37) % 256);
    const images = weir.dataset({ name: 'images', values: Uint8Array.from(values), labels: values.slice(0, 64).map((v) => v % 2), sampleShape: [8, 8, 3], classes: ['even', 'odd'] });
    const model = weir.mlp([192, 4, 2]);
    const updates$ = weir.loader(images, { epochs: 3, seed }).pipe(
      weir.augment([weir.gaussianBlur({ kernel: 3, sigma: [0.1, 2] }), weir.unitScale()], { seed, threads: 2 }), weir.batch(16),
      weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: 0.1 }), seed }));
    return { updates$ };
  },
});
`;

async function registryAnswers(): Promise<boolean> {
  return run(root, 'npm', 'view', 'rxjs', 'version').then(
    () => true,
    () => false,
  );
}

async function pack(folder: string): Promise<string> {
  const { stdout } = await run(root, 'npm', 'pack', '--ignore-scripts=false', '--json', '--pack-destination', folder);
  const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf('[\n'))) as [{ readonly filename: string }];
  return join(folder, filename);
}

async function empty(folder: string, name: string): Promise<string> {
  const project = join(folder, name);
  mkdirSync(project);
  writeFileSync(join(project, 'typed.ts'), module);
  writeFileSync(join(project, 'threads.ts'), threads);
  return project;
}

/** The user's module passes, and so do the declarations of Weir; those of other packages are their own affair. */
async function checkTypes(project: string, npm: string, typescript: string): Promise<void> {
  await run(project, 'npx', '-y', npm, 'i', '-D', typescript, '@types/node@20');
  for (const skipLibCheck of [true, false]) {
    const compilerOptions = { target: 'ES2022', module: 'NodeNext', strict: true, noEmit: true, skipLibCheck };
    const options = { compilerOptions: { ...compilerOptions, types: ['node'] }, files: ['typed.ts', 'threads.ts'] };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(options));
    await timed(`  ${typescript}, skipLibCheck ${skipLibCheck}`, async () => {
      const { stdout, failed } = await run(project, 'npx', 'tsc', '--noEmit', '--pretty', 'false').then(
        ({ stdout }) => ({ stdout, failed: false }),
        ({ stdout }: { readonly stdout: string }) => ({ stdout, failed: true }),
      );
      const errors = stdout.split('\n').filter((line) => /error TS\d+/.test(line));
      const other = /^node_modules\/(?!weir-engine\/dist\/)/;
      const ours = errors.filter((line) => !other.test(line));
      if (ours.length > 0 || (failed && errors.length === 0)) throw new Error(`types:\n${ours.join('\n') || stdout}`);
      if (errors.length > 0) console.log(`    ${errors.length} errors in declarations of other packages`);
    });
  }
}

/** What `init` writes: its test passes, its pipeline runs, and a second `init` is refused. */
async function project(folder: string, tarball: string): Promise<void> {
  const project = join(folder, 'first');
  const init = (): Promise<unknown> => run(folder, 'npx', '-y', '--package', tarball, 'weir', 'init', 'first');
  await timed('init, by npx', init);
  await init().then(
    () => Promise.reject(new Error('init wrote into a folder that holds a project')),
    ({ stderr }: { readonly stderr: string }) => {
      if (!stderr.includes('holds README.md')) throw new Error(`init refused for another reason:\n${stderr}`);
    },
  );
  await timed('  npm i', () => run(project, 'npm', 'i', tarball));
  await timed('  npm test', () => run(project, 'npm', 'test'));
  await timed('  npm run check', () => run(project, 'npm', 'run', 'check'));
  await timed('  weir run', () => run(project, 'npx', 'weir', 'run', 'pipeline.ts', '--run', 'runs/first'));
  if (!existsSync(join(project, 'runs/first/report/report.html'))) throw new Error('there is no report');
  const lock = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8')) as { packages: object };
  const copies = Object.keys(lock.packages).filter((path) => path.endsWith('@tensorflow/tfjs-core'));
  if (copies.length !== 1) throw new Error(`TensorFlow.js is there ${copies.length} times: ${copies.join(', ')}`);
}

async function run(cwd: string, file: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const own = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)); // of the npm that started this
  const env = { ...Object.fromEntries(own), NO_COLOR: '1', FORCE_COLOR: '0' };
  return promisify(execFile)(file, args, { cwd, env, maxBuffer: 1e8 });
}

async function timed<T>(name: string, work: () => Promise<T>): Promise<T> {
  const begin = performance.now();
  const result = await work();
  console.log(`${name}: ${((performance.now() - begin) / 1000).toFixed(1)} s`);
  return result;
}
