import type { Data } from '../flow/core-data.js';
import { HEADER, type Index } from './format.js';

/** Whether data is an index, of records that lie before `end`: its checksum says that it was written so, not that Weir wrote it. */
export function isIndex(data: Data, end: number): data is Index {
  if (typeof data !== 'object' || data === null) return false;
  const { name, classes, encoding, labels, offsets, lengths, checksums, heights, widths } = data as Partial<Index>;
  if (typeof name !== 'string' || (encoding !== 'raw' && encoding !== 'encoded')) return false;
  if (!Array.isArray(classes) || !classes.every((one) => typeof one === 'string')) return false;
  if (!(labels instanceof Uint8Array || labels instanceof Uint16Array) || !(offsets instanceof Float64Array))
    return false;
  const counts = [lengths, checksums, heights, widths];
  if (!counts.every((array) => array instanceof Uint32Array && array.length === labels.length)) return false;
  return (
    offsets.length === labels.length &&
    labels.every((label) => label < classes.length) &&
    offsets.every((offset, i) => Number.isSafeInteger(offset) && offset >= HEADER && offset + lengths![i]! <= end) &&
    (encoding !== 'raw' || lengths!.every((length, i) => length === heights![i]! * widths![i]! * 3))
  );
}
