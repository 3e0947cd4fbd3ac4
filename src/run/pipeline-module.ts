import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { locationOf, WeirError } from '../flow/errors.js';
import type { Pipeline } from './pipeline.js';
import { sourcesAreModules } from './typescript.js';

/** Where an error came from. */
export interface ErrorOrigin {
  /** The stage, as the engine knows it: "in stage 'train'". */
  readonly place: string | undefined;
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
  return { place: locationOf(error), line, thrown: own === 0 };
}

/** The same as text for a message; undefined where nothing is known. */
export function originText(error: Error): string | undefined {
  const { place, line, thrown } = originOf(error);
  const parts = [place, line && `${thrown ? 'at' : 'called from'} ${line}`].filter((part) => part !== undefined);
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

/** The pipeline that a TypeScript or JavaScript module exports by default. @throws {WeirError} naming the module. */
export async function loadPipeline(module: string): Promise<Pipeline> {
  const file = resolve(module);
  if (!existsSync(file)) {
    throw new WeirError(
      `there is no pipeline module ${module}`,
      'give the path of a module, such as pipelines/mnist.ts',
    );
  }
  let loaded: { readonly default?: Partial<Pipeline> };
  sourcesAreModules();
  try {
    loaded = await import(pathToFileURL(file).href);
  } catch (error) {
    const cause = error instanceof Error ? error : new Error(String(error));
    throw new WeirError(`pipeline module ${module} failed while loading: ${cause.message}`, whereIn(cause), { cause });
  }
  const found = loaded.default;
  if (typeof found?.name === 'string' && typeof found.wire === 'function' && typeof found.networks === 'function') {
    return found as Pipeline;
  }
  throw new WeirError(
    `pipeline module ${module} exports no pipeline`,
    'write `export default weir.pipeline({ name, config, wire })`',
  );
}

/** The line of the user's own file that the error came from. */
function whereIn(error: Error): string {
  const where = originText(error);
  return where === undefined
    ? 'fix the module; WEIR_DEBUG=1 shows the whole stack'
    : `see ${where.replace(/^at /, '')}`;
}
