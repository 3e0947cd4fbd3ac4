import { inspect } from 'node:util';
import pc from 'picocolors';
import { WeirError } from '../flow/errors.js';
import { newName } from '../flow/options.js';
import { visible } from '../flow/terminal.js';
import { originOf, originText } from '../run/pipeline-module.js';

/** An error as text for the user: what happened, where, and the remedy. The stack is shown where `WEIR_DEBUG` is set. */
export function shown(error: unknown): string {
  const [message, remedy] = messageOf(error);
  const rest = remedy === undefined ? '' : `\n  ${pc.dim('→')} ${visible(remedy)}`;
  return `${pc.red('weir:')} ${visible(message)}${rest}`;
}

function messageOf(error: unknown): readonly [message: string, remedy?: string] {
  if (error instanceof WeirError) return error.remedy === undefined ? [error.message] : [error.message, error.remedy];
  if (typeof error === 'string') return [error];
  if (!(error instanceof Error)) {
    const what = `${inspect(error)} was thrown, which is no error`;
    return [what, 'throw an Error with a message: it knows the line that it comes from'];
  }
  if (process.env.WEIR_DEBUG !== undefined) return [error.stack ?? error.message];
  const ofSystem = SYSTEM[(error as NodeJS.ErrnoException).code ?? ''];
  if (ofSystem !== undefined) return [`${ofSystem[0]} (${error.message})`, ofSystem[1]];
  const where = originText(error);
  const message = where === undefined ? error.message : `${error.message} (${where})`;
  const now = newName(/\b(\w+) is not a function$/.exec(error.message)?.[1] ?? '');
  if (now !== undefined) return [message, `if it is Weir's, its name is '${now}' now`];
  const { line, thrown } = originOf(error);
  const whose =
    line === undefined
      ? 'this may be a bug in Weir or in the pipeline'
      : thrown
        ? 'check that line'
        : 'check the call in that line; this may be a bug in Weir too';
  return [message, `${whose}: WEIR_DEBUG=1 shows the whole stack`];
}

/** Errors of the operating system in plain words. */
const SYSTEM: { readonly [code: string]: readonly [message: string, remedy: string] } = {
  EMFILE: ['this process has too many open files', 'raise the limit: `ulimit -n 4096`'],
  ENFILE: ['this machine has too many open files', 'end other programs, or raise the system’s limit'],
  EACCES: ['this user may not read or write there', 'see who may: `ls -ld` shows that'],
  EROFS: ['the file system is read-only', 'choose a folder on a writable disk'],
  ENOSPC: ['the disk is full', 'make room, or choose a folder on another disk'],
  EDQUOT: ['the quota of the disk is used up', 'make room, or choose a folder on another disk'],
};
