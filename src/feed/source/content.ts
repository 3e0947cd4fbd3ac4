import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { WeirError } from '../../core/errors.js';

export const GET_AGAIN = 'fetch the file again from where it came';

/** The bytes of a file, plain or gzip by its content, whatever its name. */
export function content(file: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new WeirError(`'${file}' cannot be read: ${(cause as Error).message}`, 'check that it exists and is yours', {
      cause,
    });
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (cause) {
    const short = (cause as NodeJS.ErrnoException).code === 'Z_BUF_ERROR';
    const what = short
      ? `ends in the middle of its gzip stream, after ${bytes.length} bytes`
      : `is damaged gzip (${(cause as Error).message})`;
    throw new WeirError(`'${file}' ${what}`, GET_AGAIN, { cause });
  }
}
