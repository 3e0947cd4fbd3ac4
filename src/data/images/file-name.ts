/**
 * File names whose bytes are no UTF-8, such as those of an archive made in Latin-1.
 *
 * Linux keeps names as bytes. As text they keep what they are: a byte that is no UTF-8 becomes one of the lone surrogates U+DC80 to
 * U+DCFF, as Python's `surrogateescape` has it, and `pathFor` gives the bytes back to the file system.
 */

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const LONE = /\p{Surrogate}/gu; // a pair is one character of another kind

/** The text of a name. */
export function nameFrom(bytes: Uint8Array): string {
  const whole = decoded(bytes);
  if (whole !== undefined) return whole;
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find((length) => decoded(bytes.subarray(at, at + length)) !== undefined);
    text += length === undefined ? String.fromCharCode(0xdc00 + bytes[at]!) : decoded(bytes.subarray(at, at + length))!;
    at += length ?? 1;
  }
  return text;
}

/** What the file system is to be given for a path of `nameFrom`'s texts. */
export const pathFor = (path: string): string | Buffer => (path.search(LONE) < 0 ? path : bytesOf(path));

/** The bytes of a name, or of a path. */
export function bytesOf(path: string): Buffer {
  if (path.search(LONE) < 0) return Buffer.from(path);
  return Buffer.concat(
    Array.from(path, (one) => {
      const code = one.charCodeAt(0);
      return one.length === 1 && code >= 0xdc80 && code <= 0xdcff ? Buffer.of(code - 0xdc00) : Buffer.from(one);
    }),
  );
}

/** A name or path for messages: a byte that is no UTF-8 reads `\xe9`. */
export const shownName = (path: string): string =>
  path.replace(LONE, (one) => `\\x${(one.charCodeAt(0) & 0xff).toString(16)}`);

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return bytes.length === 0 ? undefined : strict.decode(bytes);
  } catch {
    return undefined;
  }
}
