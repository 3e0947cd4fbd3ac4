import { createRequire } from 'node:module';
import { crc32 } from './digest.js';

/** Weir's version, from its `package.json`: what it writes says by which it was written; and the name by which it is imported. */
export const { name: packageName, version } = createRequire(import.meta.url)('../../package.json') as {
  readonly name: string;
  readonly version: string;
};

/**
 * The first 16 bytes of a preamble, the same in every format and version, so that a newer format is told from an altered file: the magic
 * (8 bytes), the format's version (uint32), and the CRC-32 of these 12 bytes (uint32). All numbers are little-endian.
 *
 * @param bytes of the whole preamble, which begins with them
 */
export function preambleOf(magic: string, formatVersion: number, bytes: number): Buffer {
  const preamble = Buffer.alloc(bytes);
  preamble.write(magic, 'latin1');
  preamble.writeUInt32LE(formatVersion, 8);
  preamble.writeUInt32LE(crc32(preamble.subarray(0, 12)), 12);
  return preamble;
}

/** How the bytes of a file begin, as far as it can be said without knowing the version. */
export interface FormatStamp {
  /** The text where the magic stands; shorter where the file is. */
  readonly begins: string;
  readonly isMagic: boolean;
  readonly version: number;
  /** CRC-32 of the first 12 bytes, and what the file says that it is. */
  readonly checksum: number;
  readonly stated: number;
}

/** Reads what `preambleOf` wrote; of fewer than 16 bytes the numbers are 0. */
export function stampOf(bytes: Uint8Array, magic: string): FormatStamp {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 16));
  const begins = view.toString('latin1', 0, magic.length);
  const isMagic = magic.startsWith(begins);
  if (view.length < 16) return { begins, isMagic, version: 0, checksum: 0, stated: 0 };
  return {
    begins,
    isMagic,
    version: view.readUInt32LE(8),
    checksum: crc32(view.subarray(0, 12)),
    stated: view.readUInt32LE(12),
  };
}

/** The next multiple of 8: every part of a file starts at one, so that arrays can be viewed where they lie. */
export const aligned = (bytes: number): number => Math.ceil(bytes / 8) * 8;

/** The bytes, and the zeros that bring them to a multiple of 8. */
export const padded = (bytes: Uint8Array): Uint8Array[] => [
  bytes,
  new Uint8Array(aligned(bytes.length) - bytes.length),
];

/** Bytes of all chunks together. */
export const totalBytes = (chunks: readonly Uint8Array[]): number =>
  chunks.reduce((sum, chunk) => sum + chunk.length, 0);
