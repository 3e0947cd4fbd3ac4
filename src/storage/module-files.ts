import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, extname, join, relative, resolve, sep } from 'node:path';
import { build, type Message, type Plugin, stop } from 'esbuild';
import { sha256Of } from './digest.js';
import { packageName } from './file-format.js';

/** SHA-256 by path, as seen from the module's folder; the module itself stands first. */
export type ModuleFiles = Readonly<Record<string, string>>;

const root = realpathSync(join(import.meta.dirname, '../..'));
const own = [join(root, 'src'), join(root, 'dist')].map((folder) => folder + sep);
const code = /^\.([cm]?[jt]sx?|json)$/;

/** A name that a file of the user's takes from one of Weir's modules. */
export interface ImportedName {
  readonly name: string;
  /** Weir's module, as an absolute path. */
  readonly from: string;
  /** The first use of it: FILE:LINE:COLUMN. */
  readonly at: string;
}

interface Source {
  readonly files: ModuleFiles;
  readonly names: readonly ImportedName[];
}

const known = new Map<string, Promise<Source>>();

/**
 * The SHA-256 of a pipeline module and of every file that it imports, by import or require, from file to file: those of packages in
 * `node_modules` and Weir's own sources are not among them. Imports are resolved by esbuild, which also compiles modules here.
 *
 * A process that has looked once goes on with what it saw, as it does with the module itself.
 */
export const moduleFiles = async (module: string): Promise<ModuleFiles> => (await sourceOf(module)).files;

/** The names that a pipeline module and the files that it imports take from Weir, each once, without types. */
export const namesImported = async (module: string): Promise<readonly ImportedName[]> => (await sourceOf(module)).names;

function sourceOf(module: string): Promise<Source> {
  const path = resolve(module);
  let files = known.get(path);
  if (files === undefined) {
    files = before.then(() => read(path));
    before = files.catch(() => undefined);
    known.set(path, files);
  }
  return files;
}

/** One module after another: esbuild is stopped behind each, and with it whatever else it is asked at that moment would never be answered. */
let before: Promise<unknown> = Promise.resolve();

async function read(module: string): Promise<Source> {
  if (!existsSync(module)) return { files: {}, names: [] };
  const from = dirname(realpathSync(module));
  const digest = (path: string): string => sha256Of(readFileSync(path));
  const { paths, names } = await imported(module);
  const others = paths.filter((path) => path !== realpathSync(module));
  const files = Object.fromEntries([
    [relative(from, realpathSync(module)), digest(module)],
    ...others.map((path) => [relative(from, path).split(sep).join('/'), digest(path)] as const).sort(byPath),
  ]);
  return { files, names };
}

const byPath = ([a]: readonly [string, string], [b]: readonly [string, string]): number => (a < b ? -1 : a > b ? 1 : 0);

/** All files of the user's that the module is made of, as absolute paths, and the names that they import; of one that cannot be compiled, those that could be followed. */
async function imported(module: string): Promise<{ readonly paths: string[]; readonly names: ImportedName[] }> {
  const files = new Set<string>();
  let messages: Message[];
  try {
    const { warnings } = await build({
      entryPoints: [module],
      bundle: true,
      write: false,
      platform: 'node',
      format: 'esm',
      logLevel: 'silent',
      logLimit: 0,
      absWorkingDir: dirname(module),
      plugins: [following(files)],
    });
    messages = warnings;
  } catch (error) {
    // an import that leads nowhere, or a syntax error: the command that loads the module says so
    const { errors = [], warnings = [] } = error as { errors?: Message[]; warnings?: Message[] };
    messages = [...errors, ...warnings];
  } finally {
    await stop(); // its process is not needed any more
  }
  const names = messages.flatMap((message) => nameMissing(message, dirname(module)));
  return { paths: [...files], names: names.filter(({ name, from }, i) => i === indexOf(names, name, from)) };
}

const indexOf = (names: readonly ImportedName[], name: string, from: string): number =>
  names.findIndex((one) => one.name === name && one.from === from);

/** Weir's modules stand without contents before esbuild: so it reports each name that is taken from them. */
function nameMissing({ text, location }: Message, folder: string): ImportedName[] {
  const from = /[Nn]o matching export in "weir:([^"]+)"/.exec(text)?.[1];
  const name = /[Ii]mport "([^"]+)"/.exec(text)?.[1];
  if (from === undefined || name === undefined || location === null) return [];
  return [{ name, from, at: `${resolve(folder, location.file)}:${location.line}:${location.column + 1}` }];
}

/** Follows imports as far as they lead to files of the user's, and notes these. */
const following = (files: Set<string>): Plugin => ({
  name: 'files of the user',
  setup({ onResolve, onLoad, resolve: found }) {
    onResolve({ filter: /.*/ }, async ({ path, kind, pluginData, ...from }) => {
      if (pluginData === following) return undefined; // this function's own question, below
      const entry = ownEntry(path);
      if (entry !== undefined) return { path: entry, namespace: 'weir' };
      const there = await found(path, { ...from, kind, pluginData: following });
      if (there.errors.length > 0 || there.external || there.namespace !== 'file') return { path, external: true };
      if (own.some((folder) => there.path.startsWith(folder))) return { path: there.path, namespace: 'weir' };
      return there.path.split(sep).includes('node_modules') ? { path, external: true } : there;
    });
    onLoad({ filter: /.*/, namespace: 'weir' }, () => ({ contents: 'export {};', loader: 'js' }));
    onLoad({ filter: /.*/ }, ({ path }) => {
      files.add(realpathSync(path));
      return code.test(extname(path)) ? undefined : { contents: '', loader: 'js' };
    });
  },
});

/** The module that an import of Weir by its name leads to: that of the copy which is running, as `typescript.js` has it. */
function ownEntry(path: string): string | undefined {
  const [name, entry = 'index', ...further] = path.split('/');
  if (name !== packageName || further.length > 0) return undefined;
  const module = join(import.meta.dirname, '..', entry + extname(import.meta.filename));
  return existsSync(module) ? module : undefined;
}
