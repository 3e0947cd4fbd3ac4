import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { locationOf, WeirError } from '../flow/errors.js';
import { nearest } from '../flow/options.js';
import { packageName } from '../storage/file-format.js';
import { namesImported } from '../storage/module-files.js';
import { readModules } from '../storage/typescript.js';
import type { Pipeline } from './pipeline.js';

/** Where an error came from. */
export interface ErrorOrigin {
  /** The stage, as the engine knows it: "in stage 'train'". */
  readonly stage: string | undefined;
  /** The first line of a file that is neither Weir's nor a library's: FILE:LINE:COLUMN, relative to the working folder. */
  readonly line: string | undefined;
  /** Whether that line threw the error itself, or called the code that did. */
  readonly thrown: boolean;
}

const weir = join(import.meta.dirname, '..');

/** Where an error came from: the stage, and the first line of the user's own files. */
export function originOf(error: Error): ErrorOrigin {
  const frames = (error.stack ?? '').slice(error.message.length).split('\n').flatMap(frameOf);
  const own = frames.findIndex(({ file }) => !file.startsWith(`${weir}/`) && !file.includes('/node_modules/'));
  const frame = frames[own];
  const line = frame && `${shownFile(frame.file)}:${frame.at}`;
  return { stage: locationOf(error), line, thrown: own === 0 };
}

/** The same as text for a message; undefined where nothing is known. */
export function originText(error: Error): string | undefined {
  const { stage, line, thrown } = originOf(error);
  const parts = [stage, line && `${thrown ? 'at' : 'called from'} ${line}`].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(', ');
}

const FRAME = /^\s+at (?:.*\()?((?:file:\/\/)?\/.+?)(?:\?[^:]*)?:(\d+:\d+)\)?$/;

function frameOf(row: string): { readonly file: string; readonly at: string }[] {
  const [, file, at] = FRAME.exec(row) ?? [];
  if (file === undefined || at === undefined) return [];
  return [{ file: file.startsWith('file:') ? fileURLToPath(file) : file, at }];
}

function shownFile(file: string): string {
  const short = relative(process.cwd(), file);
  return short.startsWith('..') || short === '' ? file : short;
}

const givePath = 'give the path of a module, such as pipelines/mnist.ts';

/** The error for a module that is not there: it names the nearest one beside it, or under pipelines/. */
function noModule(module: string): WeirError {
  const stem = (path: string): string => basename(path).replace(/\.[^.]*$/, '');
  const beside = [dirname(module), 'pipelines'].flatMap((folder) => {
    if (!existsSync(folder)) return [];
    const sources = readdirSync(folder).filter((name) => /(?<!\.d)\.[cm]?[jt]s$/.test(name));
    return sources.map((name) => join(folder, name));
  });
  const near = nearest(stem(module), beside.map(stem));
  const found = beside.find((path) => stem(path) === near);
  return new WeirError(
    `there is no pipeline module ${module}`,
    found === undefined ? givePath : `did you mean ${found}?`,
  );
}

/** What a TypeScript or JavaScript module exports by default. @throws {WeirError} naming the module. */
export async function loadExport(module: string): Promise<unknown> {
  const file = resolve(module);
  if (!existsSync(file)) {
    throw noModule(module);
  }
  if (statSync(file).isDirectory()) {
    throw new WeirError(
      `${module} is a folder, and no pipeline module`,
      existsSync(join(file, 'config.json')) ? `\`weir resume ${module}\` goes on with the run in it` : givePath,
    );
  }
  await readModules();
  await checkNames(file);
  try {
    return ((await import(pathToFileURL(file).href)) as { readonly default?: unknown }).default;
  } catch (error) {
    const cause = error instanceof Error ? error : new Error(String(error));
    throw new WeirError(`pipeline module ${module} failed while loading: ${cause.message}`, whereIn(cause), { cause });
  }
}

/** The pipeline that a module exports by default. @throws {WeirError} naming the module. */
export async function loadPipeline(module: string): Promise<Pipeline> {
  const found = (await loadExport(module)) as (Partial<Pipeline> & { readonly kind?: unknown }) | undefined;
  if (typeof found?.name === 'string' && typeof found.wire === 'function' && typeof found.networks === 'function') {
    return found as Pipeline;
  }
  throw new WeirError(
    `pipeline module ${module} exports no pipeline`,
    found?.kind === 'study'
      ? `it exports a study: \`weir reproduce ${module}\``
      : 'write `export default weir.pipeline({ name, config, wire })`',
  );
}

/** @throws {WeirError} where a file of the user's takes a name from Weir that it does not have: it would be undefined until it is called */
async function checkNames(file: string): Promise<void> {
  for (const { name, from, at } of await namesImported(file)) {
    const exported = Object.keys((await import(pathToFileURL(from).href)) as object);
    if (exported.includes(name)) continue;
    const near = nearest(name, exported);
    throw new WeirError(
      `${shownFile(at)} uses '${name}', which ${packageName} does not export`,
      near === undefined
        ? 'see README.md for the names that there are, and CHANGELOG.md for those that were changed'
        : `did you mean '${near}'?`,
    );
  }
}

/** The line of the user's own file that the error came from. */
function whereIn(error: Error): string {
  const where = originText(error);
  return where === undefined
    ? 'fix the module; WEIR_DEBUG=1 shows the whole stack'
    : `see ${where.replace(/^at /, '')}`;
}
