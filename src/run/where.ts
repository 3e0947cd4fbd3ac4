import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { placeOf } from '../flow/errors.js';

/** Where an error came up. */
export interface Where {
  /** The stage, as the engine knows it: "in stage 'train'". */
  readonly place: string | undefined;
  /** The first line of a file that is neither Weir's nor a library's: FILE:LINE:COLUMN, as seen from the working folder. */
  readonly line: string | undefined;
  /** Whether that line threw it itself, or called what did. */
  readonly thrown: boolean;
}

const weir = join(import.meta.dirname, '..');

/** Where an error came up: the stage, and the first line of the user's own files. */
export function whereOf(error: Error): Where {
  const frames = (error.stack ?? '').slice(error.message.length).split('\n').flatMap(frameOf);
  const own = frames.findIndex(({ file }) => !file.startsWith(`${weir}/`) && !file.includes('/node_modules/'));
  const frame = frames[own];
  const line = frame && `${shownFile(frame.file)}:${frame.at}`;
  return { place: placeOf(error), line, thrown: own === 0 };
}

/** The same as words for a message; undefined where nothing is known. */
export function whereInWords(error: Error): string | undefined {
  const { place, line, thrown } = whereOf(error);
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
