import type { ColumnMetaData, Compressors, FileMetaData, PageHeader, SchemaTree } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { decompressPage } from 'hyparquet/src/datapage.js';
import { getMaxDefinitionLevel, getMaxRepetitionLevel, getSchemaPath } from 'hyparquet/src/schema.js';
import { readVarInt } from 'hyparquet/src/thrift.js';

/**
 * Checks the counts in a Parquet file before its values are decoded: hyparquet takes them at their word, and a damaged one is a loop of up
 * to 2³¹ values. Pages must have as many values as their column, a column without lists as many as its rows, and no run may be longer than
 * its page.
 *
 * Values are not looked at. Bound: a page, decompressed.
 *
 * @param names of the columns that will be read
 * @throws {Error} that says what is wrong, and of which column
 */
export function checkPages(
  file: ArrayBuffer,
  { schema, row_groups: groups, num_rows: rows }: FileMetaData,
  names: readonly string[],
  compressors: Compressors,
): void {
  const total = groups.reduce((sum, group) => sum + count(group.num_rows, 'rows of a group'), 0);
  if (total !== count(rows, 'rows')) throw new Error(`its groups have ${total} rows, and it states ${rows}`);
  for (const { columns, num_rows: rows } of groups) {
    for (const { meta_data: column } of columns) {
      if (column === undefined || !names.includes(column.path_in_schema[0]!)) continue;
      const path = getSchemaPath(schema, column.path_in_schema);
      try {
        checkColumn(file, column, path, Number(rows), compressors);
      } catch (cause) {
        const name = column.path_in_schema.join('.');
        throw new Error(`column '${name}': ${(cause as Error).message}`, { cause });
      }
    }
  }
}

/** A count of the file as a number. */
function count(value: bigint | number | undefined, what: string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new Error(`it states ${value} ${what}`);
}

interface Reader {
  readonly view: DataView;
  offset: number;
}

interface Levels {
  readonly repetition: number;
  readonly definition: number;
}

function checkColumn(
  file: ArrayBuffer,
  column: ColumnMetaData,
  path: SchemaTree[],
  rows: number,
  compressors: Compressors,
): void {
  const levels: Levels = { repetition: getMaxRepetitionLevel(path), definition: getMaxDefinitionLevel(path) };
  const start = count(column.dictionary_page_offset || column.data_page_offset, 'as the start of its pages');
  const bytes = count(column.total_compressed_size, 'bytes of pages');
  if (start + bytes > file.byteLength) throw new Error(`its pages end at byte ${start + bytes} of ${file.byteLength}`);
  const values = count(column.num_values, 'values');
  if (levels.repetition === 0 && values !== rows) throw new Error(`it has ${values} values for ${rows} rows`);
  const reader: Reader = { view: new DataView(file, start, bytes), offset: 0 };
  let left = values;
  while (reader.offset < bytes - 1 && (left > 0 || levels.repetition > 0)) {
    const header = parquetHeader(reader);
    const size = count(header.compressed_page_size, 'bytes of a page');
    if (reader.offset + size > bytes) throw new Error(`a page ends at byte ${reader.offset + size} of ${bytes}`);
    const page = new Uint8Array(file, start + reader.offset, size);
    reader.offset += size;
    const data = header.data_page_header ?? header.data_page_header_v2;
    if (!header.type.startsWith('DATA_PAGE') || data === undefined) continue;
    const inPage = count(data.num_values, 'values of a page');
    if (inPage > left) throw new Error(`its pages have more than its ${values} values`);
    left -= inPage;
    checkRuns(page, header, inPage, levels, (packed, size) => decompressPage(packed, size, column.codec, compressors));
  }
  if (left > 0) throw new Error(`its pages have ${values - left} of its ${values} values`);
}

type Decompress = (packed: Uint8Array, size: number) => Uint8Array;

/** The runs of a data page: levels, indices of a dictionary, and truth values. */
function checkRuns(page: Uint8Array, header: PageHeader, values: number, levels: Levels, decompress: Decompress): void {
  const second = header.data_page_header_v2;
  const { encoding } = (header.data_page_header ?? second)!;
  const whole = count(header.uncompressed_page_size, 'bytes of a decompressed page');
  if (second === undefined) {
    const has = [levels.repetition, levels.definition].filter((most) => most > 0);
    const runs = has.length > 0 || /DICTIONARY|RLE/.test(encoding);
    if (!runs) return;
    const reader = readerOf(decompress(page, whole));
    for (const most of has) checkPrefixed(reader, widthOf(most), values);
    checkValues(reader, encoding, values);
    return;
  }
  const nulls = count(second.num_nulls, 'empty values');
  if (nulls > values) throw new Error(`a page has ${nulls} empty ones of ${values} values`);
  const repetition = count(second.repetition_levels_byte_length, 'bytes of levels');
  const both = repetition + count(second.definition_levels_byte_length, 'bytes of levels');
  if (both > page.length || both > whole) throw new Error(`a page of ${page.length} bytes has ${both} bytes of levels`);
  if (levels.repetition > 0) checkHybrid(readerOf(page.subarray(0, repetition)), widthOf(levels.repetition), values);
  if (levels.definition > 0) checkHybrid(readerOf(page.subarray(repetition, both)), widthOf(levels.definition), values);
  if (!/DICTIONARY|RLE/.test(encoding)) return;
  const rest = page.subarray(both);
  checkValues(
    readerOf(second.is_compressed === false ? rest : decompress(rest, whole - both)),
    encoding,
    values - nulls,
  );
}

const readerOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Reader => ({
  view: new DataView(buffer, byteOffset, byteLength),
  offset: 0,
});

/** Bits of a level from 0 to `most`. */
const widthOf = (most: number): number => 32 - Math.clz32(most);

function checkValues(reader: Reader, encoding: string, values: number): void {
  if (encoding === 'RLE')
    checkPrefixed(reader, 1, values); // truth values
  else if (encoding.endsWith('DICTIONARY')) {
    const width = reader.view.getUint8(reader.offset++);
    if (width > 32) throw new Error(`a page has indices of ${width} bits`);
    if (width > 0) checkHybrid(reader, width, values);
  }
}

/** Runs behind the number of their bytes. */
function checkPrefixed(reader: Reader, width: number, values: number): void {
  const length = reader.view.getUint32(reader.offset, true);
  reader.offset += 4;
  const end = reader.offset + length;
  if (end > reader.view.byteLength)
    throw new Error(`a page of ${reader.view.byteLength} bytes has runs up to byte ${end}`);
  checkHybrid({ view: reader.view, offset: reader.offset }, width, values);
  reader.offset = end;
}

/**
 * Runs of one value, and of values packed bit by bit, until all values are there
 * (https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE). A packed run may hold more, for it is a multiple of 8: its length
 * is bounded by its bytes.
 */
function checkHybrid(reader: Reader, width: number, values: number): void {
  const { byteLength } = reader.view;
  for (let seen = 0; seen < values; ) {
    const head = readVarInt(reader) >>> 0;
    const length = head >>> 1;
    if ((head & 1) === 1) {
      seen += 8 * length;
      reader.offset += width * length;
    } else {
      if (length > values - seen)
        throw new Error(`a page has a run of ${length} where ${values - seen} values are left`);
      seen += length;
      reader.offset += Math.ceil(width / 8);
    }
    if (seen < values && reader.offset > byteLength) throw new Error('a page ends within its runs');
  }
}
