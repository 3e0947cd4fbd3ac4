import { readFileSync } from 'node:fs';
import * as zlib from 'node:zlib';
import {
  type Compressors,
  type ParquetParsers,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
} from 'hyparquet';
import { WeirError } from '../../flow/errors.js';
import { checkOptions } from '../../flow/options.js';
import type { Dataset } from '../dataset.js';
import { nameFrom } from '../images/reader.js';
import { checkPages } from './parquet-pages.js';
import { unpackSnappy } from './snappy.js';
import { type TableOptions, TableRows, tableOptionKeys } from './table.js';

/** zlib's functions by their codecs. Zstandard is in Node.js from 22.15 on. */
const unpacking: Readonly<Record<string, typeof zlib.gunzipSync>> = {
  GZIP: zlib.gunzipSync,
  BROTLI: zlib.brotliDecompressSync,
  ...('zstdDecompressSync' in zlib && { ZSTD: zlib.zstdDecompressSync as typeof zlib.gunzipSync }),
};

/** Codecs of pages, none of which gives more than the page's header states. */
const compressors: Compressors = {
  SNAPPY: unpackSnappy,
  ...Object.fromEntries(
    Object.entries(unpacking).map(([codec, unpack]) => [
      codec,
      (bytes: Uint8Array, length: number) => unpack(bytes, { maxOutputLength: Math.max(1, length) }), // it takes no 0
    ]),
  ),
};

/** Text whose bytes are no UTF-8 keeps them as lone surrogates, which `TableRows` refuses with row and column. */
const parsers: Partial<ParquetParsers> = {
  stringFromBytes: (bytes) => bytes && nameFrom(bytes),
  jsonFromBytes: (bytes) => bytes && JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)),
};

function numberIn(cell: unknown): number | undefined {
  if (typeof cell === 'number') return cell;
  return typeof cell === 'bigint' || typeof cell === 'boolean' ? Number(cell) : undefined;
}

/**
 * A data set from a Parquet file: each row a sample. Features are columns of numbers, of truth values (1 and 0), or of lists of numbers,
 * all of one length. The class is a name or a number. Pages are packed with Snappy, gzip or Brotli, or not at all; with Zstandard
 * from Node.js 22.15 on.
 *
 * Bound: the file and its rows in memory.
 *
 * @throws {WeirError} that names the file, the row (from 1 on) and the column
 * @example const flowers = await parquet('flowers.parquet', { label: 'species', features: ['width', 'length'], box: 'observed' });
 */
export async function parquet(file: string, options: TableOptions): Promise<Dataset> {
  const about = checkOptions('parquet', options, tableOptionKeys);
  const unread = (cause: unknown): WeirError =>
    new WeirError(
      `'${file}' cannot be read as Parquet: ${(cause as Error).message}`,
      'check that it is there and whole, and write it again if it is not',
      { cause },
    );
  const table = await contentOf(file).catch((cause) => {
    throw unread(cause);
  });
  const rows = new TableRows(file, table.columns, about);
  const found = await table.read(rows.columns).catch((cause) => {
    throw unread(cause);
  });
  for (const [i, row] of found.entries()) {
    rows.add(
      rows.columns.map((column) => row[column]),
      `row ${i + 1}`,
      numberIn,
    );
  }
  return rows.dataset();
}

async function contentOf(file: string) {
  const { buffer, byteOffset, byteLength } = readFileSync(file);
  const bytes = buffer.slice(byteOffset, byteOffset + byteLength);
  const metadata = await parquetMetadataAsync(bytes);
  return {
    columns: parquetSchema(metadata).children.map(({ element: { name } }, i) => {
      if (typeof name === 'string') return name;
      throw new Error(`column ${i + 1} has no name`);
    }),
    async read(columns: readonly string[]): Promise<Record<string, unknown>[]> {
      checkPages(bytes, metadata, columns, compressors);
      return parquetReadObjects({ file: bytes, metadata, columns: [...columns], compressors, parsers });
    },
  };
}
