import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { WeirError } from '../../flow/errors.js';

export const GET_AGAIN = 'download the file again';

/** Limit of an unpacked file: a number of bytes that is always allowed, or a multiple of the file's size. Data sets take a tenth of it. */
const LEAST = 2 ** 24;
const TIMES = 64;

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
    return gunzipSync(bytes, { maxOutputLength: Math.max(LEAST, TIMES * bytes.length) });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      throw new WeirError(
        `'${file}' of ${bytes.length} bytes unpacks to more than ${Math.max(LEAST, TIMES * bytes.length)}, as no data set does`,
        'check its origin; if it is right, unpack it with gunzip and give the plain file',
        { cause },
      );
    }
    const what =
      code === 'Z_BUF_ERROR'
        ? `ends in the middle of its gzip stream, after ${bytes.length} bytes`
        : `is damaged gzip (${(cause as Error).message})`;
    throw new WeirError(`'${file}' ${what}`, GET_AGAIN, { cause });
  }
}
