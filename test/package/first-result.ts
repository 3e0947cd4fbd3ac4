import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { linesOf, run, timed, weir } from './project.js';

const LIMIT = 180; // seconds, beside the set-up of TensorFlow, which is once a machine
const lightning = join(import.meta.dirname, 'rings.py');

/** The commands from nothing to a first result of one's own, as they are typed. */
const commands = {
  weir: ['npx weir-engine init first', 'cd first', 'npm i', 'npx weir run pipeline.ts'],
  lightning: ['python3 -m venv .venv', '. .venv/bin/activate', 'pip install lightning', 'python rings.py'],
};

/**
 * From nothing to a first result: what `init` writes is installed and run, timed and counted beside the same in PyTorch Lightning. Then the rest
 * of the project: its test and its types pass, a second `init` is refused, and TensorFlow.js is there once.
 *
 * `WEIR_PYTHON`, where it has Lightning, runs the other side; its installation is not timed, for PyTorch's size is not Lightning's doing.
 *
 * @returns whether it took less than `LIMIT`
 * @throws where something fails
 */
export async function firstResult(folder: string, tarball: string): Promise<boolean> {
  const project = join(folder, 'first');
  const init = () => run(folder, 'npx', '-y', '--package', tarball, 'weir', 'init', 'first');
  const begin = performance.now();
  await timed('init, by npx', init);
  await timed('  npm i', () => run(project, 'npm', 'i', tarball));
  await timed('  weir run', () => weir(project, 'run', 'pipeline.ts', '--run', 'runs/first'));
  const seconds = (performance.now() - begin) / 1000;
  if (!existsSync(join(project, 'runs/first/report/report.html'))) throw new Error('there is no report');

  console.log(`from nothing to a first result: ${seconds.toFixed(1)} s (reach ${LIMIT} s)`);
  const described = (lines: number, given: readonly string[]) =>
    `${lines} lines, ${given.length} commands: ${given.join('; ')}`;
  console.log(`  weir: ${described(linesOf(join(project, 'pipeline.ts')), commands.weir)}`);
  console.log(`  lightning, without attack, report and page: ${described(linesOf(lightning), commands.lightning)}`);
  await inLightning(folder);

  await refused(init);
  await timed('  npm test', () => run(project, 'npm', 'test'));
  await timed('  npm run check', () => run(project, 'npm', 'run', 'check'));
  const lock = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8')) as { packages: object };
  const copies = Object.keys(lock.packages).filter((path) => path.endsWith('@tensorflow/tfjs-core'));
  if (copies.length !== 1) throw new Error(`TensorFlow.js is there ${copies.length} times: ${copies.join(', ')}`);
  return seconds <= LIMIT;
}

async function inLightning(folder: string): Promise<void> {
  const python = process.env.WEIR_PYTHON ?? 'python3';
  const there = await run(folder, python, '-c', 'import lightning').then(
    () => true,
    () => false,
  );
  if (!there) return console.log(`  lightning is counted alone: ${python} has none (WEIR_PYTHON names another)`);
  const { stdout } = await timed('  the same in lightning', () => run(folder, python, lightning, 'lightning'));
  if (!/^best 0\.[89]/m.test(stdout)) throw new Error(`lightning did not learn:\n${stdout}`);
}

const refused = (init: () => Promise<unknown>): Promise<void> =>
  init().then(
    () => Promise.reject(new Error('init wrote into a folder that holds a project')),
    ({ stderr }: { readonly stderr: string }) => {
      if (!stderr.includes('holds README.md')) throw new Error(`init refused for another reason:\n${stderr}`);
    },
  );
