import { renameSync, rmSync } from 'node:fs';
import { WeirError } from '../flow/errors.js';

/** Has a file written beside `file`, then puts it in its place; what goes wrong leaves the earlier one, and names the file. */
export function inPlace<T>(file: string, write: (part: string) => T): T {
  const part = `${file}.part`;
  try {
    const result = write(part);
    renameSync(part, file);
    return result;
  } catch (cause) {
    rmSync(part, { force: true });
    if (cause instanceof WeirError) throw cause;
    const remedy = 'give a file in a folder that can be written to';
    throw new WeirError(`cannot write ${file}: ${(cause as Error).message}`, remedy, { cause });
  }
}
