import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { Command } from 'commander';
import { WeirError } from '../flow/errors.js';
import { toOutput } from '../flow/terminal.js';
import { onDisk } from '../storage/disk.js';
import { makeFolder } from '../surroundings/folders.js';

const root = join(import.meta.dirname, '../..');
const template = join(root, 'fixtures/project');

/** What `weir init` takes from Weir's own package.json: names and versions of what the new project needs. */
interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** `weir init`: a small project of the user's own that runs and passes its test at once. */
export function command(): Command {
  return new Command('init')
    .description('write a small project: package.json, tsconfig.json, a pipeline and a test that replays a recording')
    .argument('[folder]', 'where to write it; it is made where it is missing', '.')
    .addHelpText('after', '\nExample:\n  npx weir-engine init my-experiment')
    .action((folder: string) => {
      const files = start(resolve(folder));
      const there = relative(process.cwd(), resolve(folder));
      toOutput(`wrote ${files.map((file) => join(there, file)).join(', ')}\n`);
      toOutput(`next: ${there === '' ? '' : `cd ${there} && `}npm i && npm test && npx weir run pipeline.ts\n`);
    });
}

/**
 * Writes the project into a folder.
 *
 * @returns the files, relative to the folder
 * @throws {WeirError} where one of them, or of the folders they lie in, is there already: then nothing is written
 */
function start(folder: string): string[] {
  const names = [...readdirSync(template).sort(), 'package.json', '.gitignore'];
  const there = names.filter((name) => existsSync(join(folder, name)));
  if (there.length > 0) {
    throw new WeirError(
      `${folder} holds ${there.join(', ')} already`,
      'give another folder: `npx weir-engine init my-experiment`',
    );
  }
  onDisk(`write a project into ${folder}`, () => {
    makeFolder(folder);
    cpSync(template, folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifestFor(basename(folder)), undefined, 2)}\n`);
    writeFileSync(join(folder, '.gitignore'), 'node_modules/\nruns/\n');
  });
  return names;
}

/** The project's package.json. A name that npm would not take loses what it does not allow. */
function manifestFor(folder: string): object {
  const { name, version, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
  const needed = ['typescript', 'vitest'].map((one) => [one, devDependencies[one]]);
  return {
    name: folder.toLowerCase().replace(/[^a-z0-9-]+/g, '-').replace(/^-+|-+$/g, '') || 'experiment', // biome-ignore format: one idea
    private: true,
    type: 'module',
    scripts: { start: 'weir run pipeline.ts', test: 'vitest run', check: 'tsc --noEmit' },
    dependencies: { [name]: `^${version}` },
    devDependencies: Object.fromEntries(needed),
  };
}
