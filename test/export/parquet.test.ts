import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { parquetMetadata, parquetReadObjects, parquetSchema } from 'hyparquet';
import { afterAll, expect, test } from 'vitest';
import { exportParquet } from '../../src/export/parquet.js';
import type { MetricRecord } from '../../src/storage/metric-reader.js';
import { call as weir } from '../cli/weir.js';
import { madeUpRun, records } from './made-up-run.js';

const base = mkdtempSync(join(tmpdir(), 'weir-parquet-'));
afterAll(() => rmSync(base, { recursive: true }));

/** What hyparquet, which reads what its companion writes, makes of a file. */
async function read(file: string) {
  const bytes = readFileSync(file);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  const { children } = parquetSchema(parquetMetadata(buffer));
  return {
    columns: children.map(({ element }) => `${element.name} ${element.converted_type ?? element.type}`),
    rows: await parquetReadObjects({ file: buffer }),
  };
}

test('numbers are doubles to the bit, flags booleans, all else text; what is missing is null', async () => {
  const file = join(base, 'mixed.parquet');
  const mixed: MetricRecord[] = [
    { network: 'n', number: 1, loss: 0.1 + 0.2, ok: true, sigma: { hidden1: Number.NaN }, either: 1, list: [1, 'a'] },
    {
      network: 'γ',
      loss: -Infinity,
      ok: false,
      either: 'x',
      never: null,
      picture: { float32: 'AAAA' },
      wall: { seconds: 5e-324 },
    },
  ];
  expect(exportParquet(file, () => mixed, {})).toBe(2);
  const { columns, rows } = await read(file);
  expect(columns).toEqual([
    ...['network UTF8', 'number DOUBLE', 'loss DOUBLE', 'ok BOOLEAN', 'sigma.hidden1 DOUBLE'],
    ...['either UTF8', 'list UTF8', 'never UTF8', 'wall.seconds DOUBLE'],
  ]);
  const none = { number: null, 'sigma.hidden1': null, list: null, never: null, 'wall.seconds': null };
  expect(rows).toEqual([
    {
      ...none,
      network: 'n',
      number: 1,
      loss: 0.1 + 0.2,
      ok: true,
      'sigma.hidden1': Number.NaN,
      either: '1',
      list: '[1,"a"]',
    },
    { ...none, network: 'γ', loss: -Infinity, ok: false, either: 'x', 'wall.seconds': 5e-324 },
  ]);
});

test('a long log comes in groups of rows', async () => {
  const file = join(base, 'long.parquet');
  function* long(): Generator<MetricRecord> {
    for (let number = 0; number < 25_000; number++) yield { stream: 'updates', number, loss: 1 / (number + 1) };
  }
  expect(exportParquet(file, long, {})).toBe(25_000);
  const { rows } = await read(file);
  expect([rows.length, rows[24_999]]).toEqual([25_000, { stream: 'updates', number: 24_999, loss: 1 / 25_000 }]);
});

test('`weir export RUN FILE.parquet`, and a stream that is not there', async () => {
  const run = madeUpRun(join(base, 'run'));
  const file = join(base, 'metrics.parquet');
  expect(await weir('export', run, file)).toMatchObject({ status: 0, out: `22 rows\n${file}\n` });
  expect((await read(file)).rows).toHaveLength(records.length);
  const table = join(base, 'metrics.csv');
  expect(await weir('export', run, table)).toMatchObject({ status: 0 });
  const cells: string[][] = parse(readFileSync(table));
  const { columns, rows } = await read(file);
  expect(columns.map((column) => column.replace(/ [^ ]*$/, ''))).toEqual(cells[0]); // those that the schemas declare as text too
  expect(rows.map((row) => cells[0]!.map((name) => String(row[name] ?? '')))).toEqual(cells.slice(1));
  const { status, err } = await weir('export', run, file, '--stream', 'sigma');
  expect([status, err]).toEqual([1, expect.stringContaining("nothing of stream 'sigma'")]);
  expect((await read(file)).rows).toHaveLength(records.length); // the earlier file stays
});
