import { CsvError, type Info, parse } from 'csv-parse/sync';
import { WeirError } from '../../flow/errors.js';
import { checkOptions } from '../../flow/options.js';
import { checkUtf8 } from '../../storage/disk.js';
import type { Dataset } from '../dataset.js';
import { content } from './content.js';
import { type TableOptions, TableRows, tableOptionKeys } from './table.js';

export interface CsvOptions extends TableOptions {
  /** Between two cells; a comma by default. */
  readonly delimiter?: string;
  /** The names of the columns, of a file whose first line holds none. */
  readonly columns?: readonly string[];
}

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

const numberIn = (cell: unknown): number | undefined => (DECIMAL.test(cell as string) ? Number(cell) : undefined);

/**
 * A data set from a CSV file (RFC 4180): each line a sample, its features numbers, its class a name or a number. The first line names
 * the columns. The file is UTF-8, or UTF-16 with a byte order mark, and may be packed with gzip.
 *
 * @throws {WeirError} that names the file, the line and the column
 * @example const flowers = await csv('iris.csv', { label: 'species', box: 'observed' });
 */
export async function csv(file: string, options: CsvOptions): Promise<Dataset> {
  const {
    delimiter = ',',
    columns,
    ...about
  } = checkOptions('csv', options, { ...tableOptionKeys, delimiter: 'optional', columns: 'optional' });
  const hint = `. Cells are cut at '${delimiter}': another character is given by { delimiter }, and names of columns that are not in the file by { columns }.`;
  let rows: TableRows | undefined;
  let places: number[] = [];
  const begin = (names: readonly string[]): void => {
    rows = new TableRows(file, names, about, hint);
    places = rows.columns.map((column) => names.indexOf(column));
  };
  const take = (cells: readonly string[], { lines }: Info): void => {
    if (rows === undefined) {
      begin(cells);
      return;
    }
    if (columns !== undefined && cells.length !== columns.length) {
      throw new WeirError(
        `'${file}', line ${lines}: there are ${cells.length} cells, and ${columns.length} names of columns were given`,
        'name each column',
      );
    }
    const own = places.map((place) => cells[place]);
    rows.add(own, `line ${lines}`, numberIn);
  };
  if (columns !== undefined) begin(columns);
  try {
    parse(textIn(file), {
      bom: true,
      delimiter,
      trim: true,
      skip_empty_lines: true,
      on_record: (cells: string[], context) => {
        take(cells, context);
        return null; // the parser keeps nothing
      },
    });
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    const { lines } = cause as CsvError & Partial<Info>;
    throw new WeirError(
      `'${file}'${lines === undefined ? '' : `, line ${lines}`}: ${cause.message.replace(/ (on|at) line \d+$/, '')}`,
      'mend that line: each has a cell for every column, and a cell with a comma or a quote stands in quotes',
      { cause },
    );
  }
  if (rows === undefined) throw new WeirError(`'${file}' is empty`, 'give it a line of names, and one for each sample');
  return (rows as TableRows).dataset();
}

/** The bytes of a file whose text can be decoded; the parser knows UTF-16 (little-endian) by its byte order mark. */
function textIn(file: string): Buffer {
  const bytes = Buffer.from(content(file));
  if (bytes[0] !== 0xff || bytes[1] !== 0xfe) checkUtf8(file, bytes);
  else if (!isUtf16(bytes)) {
    throw new WeirError(`'${file}' begins as UTF-16, and is not UTF-16 throughout`, 'save the file as UTF-8');
  }
  return bytes;
}

function isUtf16(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-16le', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
