import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Data } from '../flow/core-data.js';
import { bytesOf } from './core-bytes.js';
import { crc32 } from './crc32.js';
import { pack, type Segment } from './pack.js';

/**
 * A snapshot file, little-endian throughout, every part starting at a multiple of 8 bytes (zeros between):
 *
 *     0  magic 'WEIRSNAP'
 *     8  format version (uint32)
 *    12  CRC-32 of bytes 0-11 (uint32): the same place in every version, so a newer one is told from an altered one
 *    16  bytes in the file (uint64)
 *    24  bytes of the header, 28 bytes of the table (uint32)
 *    32  SHA-256 of header and table, padding included
 *    64  CRC-32 of bytes 0-63 (uint32), and 4 bytes of zero
 *    72  header: packed { weir, about, data }, where every typed array is a reference to a segment
 *        table: packed [{ name, bytes, sha256 }], one entry a segment
 *        segments: the arrays' bytes
 *
 * A segment's SHA-256 takes in its padding, so no byte of a file is without a checksum.
 */
export const magic = 'WEIRSNAP';
export const formatVersion = 1;
export const preambleBytes = 72;

/** What is known of a snapshot besides its data: pipeline, network, update, position and the like. */
export type About = { readonly [key: string]: Data };

/** One line of a snapshot's table. */
export type Entry = { readonly name: string; readonly bytes: number; readonly sha256: string };

/** The next multiple of 8. */
export const aligned = (bytes: number): number => Math.ceil(bytes / 8) * 8;

const weir = (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string })
  .version;

/**
 * A snapshot of `data` as the chunks of a file, in order.
 *
 * Typed arrays are not copied: the chunks are views of them, so write them before anything moves.
 */
export function encode(data: Data, about: About): Uint8Array[] {
  const segments: Segment[] = [];
  const header = padded(pack({ weir, about, data }, segments));
  const bodies = segments.map(({ array }) => padded(bytesOf(array)));
  const entries = segments.map(
    ({ name, array }, i): Entry => ({
      name: name.replace(/^data\//, ''),
      bytes: array.byteLength,
      sha256: sha256(...bodies[i]!),
    }),
  );
  const table = padded(pack(entries));

  const preamble = Buffer.alloc(preambleBytes);
  preamble.write(magic, 0, 'latin1');
  preamble.writeUInt32LE(formatVersion, 8);
  preamble.writeUInt32LE(crc32(preamble.subarray(0, 12)), 12);
  preamble.writeBigUInt64LE(BigInt(preambleBytes + size(header) + size(table) + size(bodies.flat())), 16);
  preamble.writeUInt32LE(header[0]!.length, 24);
  preamble.writeUInt32LE(table[0]!.length, 28);
  preamble.write(sha256(...header, ...table), 32, 'hex');
  preamble.writeUInt32LE(crc32(preamble.subarray(0, 64)), 64);
  return [preamble, ...header, ...table, ...bodies.flat()].filter((chunk) => chunk.length > 0);
}

/** SHA-256 of the chunks one after the other, in hexadecimal. */
export function sha256(...chunks: Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}

const padded = (bytes: Uint8Array): Uint8Array[] => [bytes, new Uint8Array(aligned(bytes.length) - bytes.length)];
const size = (chunks: readonly Uint8Array[]): number => chunks.reduce((sum, chunk) => sum + chunk.length, 0);
