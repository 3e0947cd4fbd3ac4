import { WeirError } from '../flow/errors.js';

/** How deep arrays and objects may nest in packed data. */
export const depthLimit = 100;

/**
 * Reads packed bytes through without building anything, and throws a `WeirError` unless they are what `pack` writes.
 *
 * The decoder then never meets an extension (it would build dates, regular expressions, errors, records compiled to
 * functions), recursion past `depthLimit`, a length past the end, a key that is not text, or bytes after the value.
 * Time and memory: linear in the bytes, and at most `depthLimit` counters.
 */
export function checkPacked(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const left = [1]; // values still to come in each open container, the innermost last
  const keyed = [false];
  let at = 0;

  const refuse = (what: string): never => {
    throw new WeirError(`packed data is not valid at byte ${at}: ${what}`, 'it was altered, or Weir did not write it');
  };
  const skip = (length: number): void => {
    if (length > bytes.length - at) refuse(`${length} bytes expected, ${bytes.length - at} are left`);
    at += length;
  };
  const length = (size: 1 | 2 | 4): number => {
    const start = at;
    skip(size);
    return size === 1 ? view.getUint8(start) : size === 2 ? view.getUint16(start) : view.getUint32(start);
  };
  const open = (count: number, map: boolean): void => {
    const values = map ? 2 * count : count;
    if (values > bytes.length - at) refuse(`${values} values expected, ${bytes.length - at} bytes are left`);
    if (left.length > depthLimit) refuse(`more than ${depthLimit} levels of nesting`);
    left.push(values);
    keyed.push(map);
  };
  const undefinedValue = (): void => {
    const start = at;
    skip(2);
    if (bytes[start] !== 0 || bytes[start + 1] !== 0) refuse(`extension ${bytes[start]}`);
  };
  const text = (size: number): void => {
    const start = at;
    skip(size);
    if (!isKey || size !== 9) return;
    if (Buffer.from(bytes.buffer, bytes.byteOffset + start, 9).toString('latin1') === '__proto__') {
      refuse("the key '__proto__'");
    }
  };

  let isKey = false;
  while (left.length > 0) {
    const top = left.length - 1;
    const rest = left[top]!;
    if (rest === 0) {
      left.pop();
      keyed.pop();
      continue;
    }
    left[top] = rest - 1;
    isKey = keyed[top]! && rest % 2 === 0;
    const token = length(1);
    if (isKey && !((token >= 0xa0 && token < 0xc0) || (token >= 0xd9 && token <= 0xdb))) {
      refuse('a key that is not text');
    }
    if (token < 0x80 || token >= 0xe0) continue; // a small integer
    if (token < 0x90) open(token - 0x80, true);
    else if (token < 0xa0) open(token - 0x90, false);
    else if (token < 0xc0) text(token - 0xa0);
    else if (token === 0xc0 || token === 0xc2 || token === 0xc3) continue;
    else if (token === 0xc4) skip(length(1));
    else if (token === 0xc5) skip(length(2));
    else if (token === 0xc6) skip(length(4));
    else if (token === 0xcb) skip(8);
    else if (token === 0xcc || token === 0xd0) skip(1);
    else if (token === 0xcd || token === 0xd1) skip(2);
    else if (token === 0xce || token === 0xd2) skip(4);
    else if (token === 0xd4) undefinedValue();
    else if (token === 0xd9) text(length(1));
    else if (token === 0xda) text(length(2));
    else if (token === 0xdb) text(length(4));
    else if (token === 0xdc) open(length(2), false);
    else if (token === 0xdd) open(length(4), false);
    else if (token === 0xde) open(length(2), true);
    else if (token === 0xdf) open(length(4), true);
    else refuse(`a value of type 0x${token.toString(16)}`);
  }
  if (at < bytes.length) refuse(`${bytes.length - at} bytes after the end`);
}
