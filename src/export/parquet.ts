import { fileWriter, ParquetWriter } from 'hyparquet-writer';
import { atomically } from '../storage/disk.js';
import { version } from '../storage/file-format.js';
import type { MetricRecord } from '../storage/metric-reader.js';
import { flattened, type MetricTableOptions, remedy, type TableColumn, TableRecords, textOf } from './table.js';

type Schema = ConstructorParameters<typeof ParquetWriter>[0]['schema'];

const groupRows = 10_000;

/**
 * Writes records as Parquet, with the columns of the CSV: numbers as doubles, flags as booleans, all else as text (a list as JSON). What
 * a record lacks is null. The schemas of the streams, with labels and units, are in the file's metadata as `weir.streams`.
 *
 * Reads the log twice. Bound: 10,000 rows in memory.
 *
 * @param records gives them anew each time
 * @returns how many rows there are
 * @throws {WeirError} where no record is of the stream or network asked for, with those there are
 */
export function exportParquet(
  file: string,
  records: () => Iterable<MetricRecord>,
  options: MetricTableOptions,
): number {
  const chosen = new TableRecords(records, options);
  const { columns } = chosen;
  if (columns.length === 0) throw chosen.nothing;
  return atomically(
    file,
    ({ part }) => {
      const writer = new ParquetWriter({
        writer: fileWriter(part),
        schema: schemaOf(columns),
        kvMetadata: [{ key: 'weir.streams', value: JSON.stringify(options.streams ?? {}) }],
        createdBy: `weir ${version}`,
      });
      let rows = 0;
      let group = columns.map((): unknown[] => []);
      const flush = (): void => {
        void writer.write({
          columnData: columns.map(({ name }, i) => ({ name, data: group[i]! })),
          rowGroupSize: groupRows,
        });
        group = columns.map(() => []);
      };
      for (const record of chosen) {
        const fields = new Map(flattened(record));
        for (const [i, { name, kind }] of columns.entries()) {
          const value = fields.get(name) ?? null;
          group[i]!.push(value === null || kind !== 'text' ? value : textOf(value));
        }
        if (++rows % groupRows === 0) flush();
      }
      if (rows % groupRows > 0) flush();
      void writer.finish();
      return rows;
    },
    { remedy },
  );
}

const types = { number: 'DOUBLE', flag: 'BOOLEAN', text: 'BYTE_ARRAY' } as const;

const schemaOf = (columns: readonly TableColumn[]): Schema => [
  { name: 'root', num_children: columns.length },
  ...columns.map(({ name, kind }) => ({
    name,
    type: types[kind],
    repetition_type: 'OPTIONAL' as const,
    ...(kind === 'text' && { converted_type: 'UTF8' as const }),
  })),
];
