import { inspect } from 'node:util';
import pc from 'picocolors';
import { WeirError } from '../flow/errors.js';
import { visible } from '../flow/terminal.js';
import { originOf, originText } from '../run/pipeline-module.js';

/** An error as a user reads it: what happened, where, and what to do; with its stack only where `WEIR_DEBUG` asks for it. */
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
    return [what, 'let the pipeline throw an Error with a message: it says where it comes from'];
  }
  if (process.env.WEIR_DEBUG !== undefined) return [error.stack ?? error.message];
  const ofSystem = SYSTEM[(error as NodeJS.ErrnoException).code ?? ''];
  if (ofSystem !== undefined) return [`${ofSystem[0]} (${error.message})`, ofSystem[1]];
  const where = originText(error);
  const message = where === undefined ? error.message : `${error.message} (${where})`;
  const { line, thrown } = originOf(error);
  const whose =
    line === undefined
      ? 'this may be a fault in Weir or in the pipeline'
      : thrown
        ? 'see to that line'
        : 'see to what that line asks for; it may be a fault in Weir too';
  return [message, `${whose}: WEIR_DEBUG=1 shows all of the stack`];
}

/** What the system's refusals mean, wherever they come up. */
const SYSTEM: { readonly [code: string]: readonly [message: string, remedy: string] } = {
  EMFILE: ['this process may not open as many files as it needs', 'raise the limit: `ulimit -n 4096`'],
  ENFILE: ['this machine has as many files open as it can', 'end what holds them, or raise the system’s limit'],
  EROFS: ['the file system is read-only', 'choose a folder on a disk that can be written'],
  ENOSPC: ['the disk is full', 'make room, or choose a folder on another disk'],
  EDQUOT: ['the quota of the disk is used up', 'make room, or choose a folder on another disk'],
};
