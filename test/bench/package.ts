import { cpSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstResult } from '../package/first-result.js';
import { countLines, ownParts } from '../package/own-parts.js';
import { emptyFolder, run, timed, weir } from '../package/project.js';
import { machine } from './compare.js';

/**
 * Weir as a user gets it: the tarball of `npm pack`, installed into empty folders by npm 10 and npm 11 without flags, where only the
 * registry can be reached. There an experiment of which every part is the user's own (`test/package/experiment`) passes TypeScript 5.9 and 7, runs,
 * and is killed and resumed to the same bits; `init` leads to a first result.
 *
 * `npm run bench -- package [npm|first]` does one half. It takes some minutes, most of them npm's; where the registry cannot be reached it
 * is skipped, and says so.
 */
export async function bench([half]: string[]): Promise<boolean> {
  if (!(await registryAnswers())) {
    console.log('package: skipped, for the registry cannot be reached');
    return true;
  }
  console.log(machine());
  const folder = mkdtempSync(join(tmpdir(), 'weir-package-'));
  try {
    const tarball = await timed('pack', () => pack(folder));
    console.log(`  ${(statSync(tarball).size / 1e6).toFixed(1)} MB`);
    countLines();
    if (half !== 'first') for (const npm of ['npm@10', 'npm@11']) await ownProject(folder, tarball, npm);
    return half === 'npm' || (await firstResult(folder, tarball));
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

/** A project of the user's own, made by one npm in an empty folder. */
async function ownProject(folder: string, tarball: string, npm: string): Promise<void> {
  const project = emptyFolder(folder, npm.replace('@', '-'));
  await timed(`${npm} i, in an empty folder`, () => run(project, 'npx', '-y', npm, 'i', tarball));
  await timed('  each entry is imported', () => run(project, process.execPath, '-e', imports));
  await timed('  a pipeline of the paper', () => weir(project, 'run', xor, ...small, '--run', 'runs/xor'));
  for (const name of ['experiment', 'entries.ts']) {
    cpSync(join(root, 'test/package', name), join(project, name), { recursive: true });
  }
  await ownParts(project);
  await run(project, 'npm', 'pkg', 'set', 'type=module'); // tsc reads it; Weir takes a .ts file for a module without it
  for (const typescript of ['typescript@5.9', 'typescript@7']) await checkTypes(project, npm, typescript);
}

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

/** The user's modules pass, and so do the declarations of Weir; those of other packages are their own affair. */
async function checkTypes(project: string, npm: string, typescript: string): Promise<void> {
  await run(project, 'npx', '-y', npm, 'i', '-D', typescript, '@types/node@20');
  for (const skipLibCheck of [true, false]) {
    const compilerOptions = { target: 'ES2022', module: 'NodeNext', strict: true, noEmit: true, skipLibCheck };
    const options = { compilerOptions: { ...compilerOptions, types: ['node'] }, include: ['entries.ts', 'experiment'] };
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
