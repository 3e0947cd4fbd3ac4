import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, extname, join, relative, resolve, sep } from 'node:path';
import { build, type Plugin, stop } from 'esbuild';
import { sha256Of } from './digest.js';

/** SHA-256 by path, as seen from the module's folder; the module itself stands first. */
export type ModuleFiles = Readonly<Record<string, string>>;

const root = realpathSync(join(import.meta.dirname, '../..'));
const own = [join(root, 'src'), join(root, 'dist')].map((folder) => folder + sep);
const code = /^\.([cm]?[jt]sx?|json)$/;

const known = new Map<string, Promise<ModuleFiles>>();

/**
 * The SHA-256 of a pipeline module and of every file that it imports, by import or require, from file to file: those of packages in
 * `node_modules` and Weir's own sources are not among them. Imports are resolved by esbuild, which also compiles modules here.
 *
 * A process that has looked once goes on with what it saw, as it does with the module itself.
 */
export function moduleFiles(module: string): Promise<ModuleFiles> {
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

async function read(module: string): Promise<ModuleFiles> {
  if (!existsSync(module)) return {};
  const from = dirname(realpathSync(module));
  const digest = (path: string): string => sha256Of(readFileSync(path));
  const others = (await imported(module)).filter((path) => path !== realpathSync(module));
  return Object.fromEntries([
    [relative(from, realpathSync(module)), digest(module)],
    ...others.map((path) => [relative(from, path).split(sep).join('/'), digest(path)] as const).sort(byPath),
  ]);
}

const byPath = ([a]: readonly [string, string], [b]: readonly [string, string]): number => (a < b ? -1 : a > b ? 1 : 0);

/** Absolute paths of all files of the user's that the module is made of; of one that cannot be compiled, what could be followed. */
async function imported(module: string): Promise<string[]> {
  const files = new Set<string>();
  try {
    await build({
      entryPoints: [module],
      bundle: true,
      write: false,
      platform: 'node',
      format: 'esm',
      logLevel: 'silent',
      absWorkingDir: dirname(module),
      plugins: [following(files)],
    });
  } catch {
    // an import that leads nowhere, or a syntax error: the command that loads the module says so
  } finally {
    await stop(); // its process is not needed any more
  }
  return [...files];
}

/** Follows imports as far as they lead to files of the user's, and notes these. */
const following = (files: Set<string>): Plugin => ({
  name: 'files of the user',
  setup({ onResolve, onLoad, resolve: found }) {
    onResolve({ filter: /.*/ }, async ({ path, kind, pluginData, ...from }) => {
      if (pluginData === following) return undefined; // this function's own question, below
      const there = await found(path, { ...from, kind, pluginData: following });
      const ours = there.errors.length > 0 || there.external || there.namespace !== 'file' || isForeign(there.path);
      return ours ? { path, external: true } : there;
    });
    onLoad({ filter: /.*/ }, ({ path }) => {
      files.add(realpathSync(path));
      return code.test(extname(path)) ? undefined : { contents: '', loader: 'js' };
    });
  },
});

const isForeign = (path: string): boolean =>
  path.split(sep).includes('node_modules') || own.some((folder) => path.startsWith(folder));
