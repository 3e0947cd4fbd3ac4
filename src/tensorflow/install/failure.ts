import { WeirError } from '../../flow/errors.js';

/** The native runtime cannot be had, and why. With runtime `auto`, WebAssembly takes its place. */
export class SetUpFailure extends WeirError {
  override name = 'SetUpFailure';
}

/** Is this the file system saying that it is full? */
export function isDiskFull(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** The disk filled up while something was being written to `folder`. */
export function diskFull(folder: string, cause?: unknown): SetUpFailure {
  return new SetUpFailure(
    `set-up ran out of disk under ${folder}`,
    'free some space, or name a folder on another disk with WEIR_CACHE; what was half done starts over',
    { cause },
  );
}
