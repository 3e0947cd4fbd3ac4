import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { ByteWriter, parquetWrite } from 'hyparquet-writer';
import { afterAll, expect, test } from 'vitest';
import { type CsvOptions, csv } from '../../../src/data/datasets/csv.js';
import { npy } from '../../../src/data/datasets/npy.js';
import { parquet } from '../../../src/data/datasets/parquet.js';
import { unpackSnappy } from '../../../src/data/datasets/snappy.js';

const folder = mkdtempSync(join(tmpdir(), 'weir-table-'));
afterAll(() => rmSync(folder, { recursive: true }));
const tables = join(import.meta.dirname, 'tables');
const iris = join(import.meta.dirname, '../../../pipelines/examples/iris.csv');

const written = (text: string | Uint8Array, name = 'table.csv'): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

test('the same flowers from CSV, Parquet and NumPy', async () => {
  const flowers = await csv(iris, { label: 'species' });
  expect(flowers).toMatchObject({
    name: 'iris',
    size: 150,
    sampleShape: [4],
    classes: ['setosa', 'versicolor', 'virginica'],
  });
  const { name: _, ...same } = flowers;
  expect(await npy(join(tables, 'iris.npz'))).toEqual(flowers);
  for (const codec of ['snappy', 'gzip', 'brotli']) {
    expect(await parquet(join(tables, `iris-${codec}.parquet`), { label: 'species' })).toMatchObject(same);
  }
});

test('columns are taken by name in the order asked for; quotes, a byte order mark, CRLF and gzip are read', async () => {
  const text = '\ufeff"a, b";kind;c\r\n1;"new\nline";-2e3\r\n\r\n.5;x;+3.\r\n';
  const file = written(gzipSync(text), 'some.csv.gz');
  const made = await csv(file, { label: 'kind', features: ['c', 'a, b'], delimiter: ';' });
  expect([[...made.values], made.classes, made.name]).toEqual([[-2000, 1, 3, 0.5], ['new\nline', 'x'], 'some.csv']);
  const bare = await csv(written('1,0\n2,1\n'), {
    columns: ['x', 'y'],
    label: 'y',
    classes: 2,
    box: { min: 0, max: 3 },
  });
  expect([[...bare.values], [...bare.labels], bare.box]).toEqual([[1, 2], [0, 1], { min: 0, max: 3 }]);
});

test.each<[text: string, options: Partial<CsvOptions>, message: string]>([
  ['a,y\n1,k\n', { label: 'Y' }, "'FILE' has no column 'Y'"],
  ['a;y\n1;k\n', {}, "'FILE' has no column 'y'"],
  ['a,a,y\n1,2,k\n', {}, "column 'a' of 'FILE' is there 2 times"],
  ['a,y\n1,k\n', { features: ['a', 'a'] }, "column 'a' of 'FILE' is asked for twice"],
  ['y\nk\n', {}, "'FILE' has no column besides 'y'"],
  ['a,y\n', {}, "'FILE' has no rows"],
  ['', {}, "'FILE' is empty"],
  ['a,y\n1,k\n\n,k\n', {}, "'FILE', line 4, column 'a': there is no value"],
  ['a,y\n1,k\nn/a,k\n', {}, "'FILE', line 3, column 'a': 'n/a' is no number"],
  ['a,y\n1,k\nNaN,k\n', {}, "'FILE', line 3, column 'a': 'NaN' is no number"],
  ['a,y\n1,k\n0x10,k\n', {}, "'FILE', line 3, column 'a': '0x10' is no number"],
  ['a,y\n1,k\n1e999,k\n', {}, "'FILE', line 3, column 'a': '1e999' is no finite number of float32"],
  ['a,y\n1,k\n2,\n', {}, "'FILE', line 3, column 'y': there is no label"],
  ['a,y\n1,k\n2\n', {}, "'FILE', line 3: Invalid Record Length"],
  ['a,y\n1,"k\n2,l\n', {}, "'FILE', line 3: Quote Not Closed"],
  ['1,k\n', { columns: ['a', 'b', 'y'] }, "'FILE', line 1: there are 2 cells, and 3 names of columns were given"],
  [
    'a,y\n1,k\n',
    { classes: 2 },
    "'FILE', line 2, column 'y': 'k' is no number of a class, and 2 classes were asked for by their number",
  ],
  ['a,y\n1,k\n', { classes: ['l'] }, "'FILE', line 2, column 'y': 'k' is none of the 1 classes l"],
  ['a,y\n1,0\n2,5\n', { classes: 2 }, "'FILE', line 3, column 'y': '5' is none of 2 classes"],
  ['a,y\n1,k\n\n1e300,k\n', {}, "'FILE', line 4, column 'a': '1e300' is no finite number of float32"],
  ['a,y\n1,1\n2,1.0\n', {}, "'FILE': data set 'table' has the labels '1' and '1.0', which are one number"],
  ['a,y\n1,k\n', { box: { min: 2, max: 3 } }, "'FILE': sample 0 of data set 'table' holds 1 at position [0], outside"],
])('a CSV file that is refused: %j %o', async (text, options, message) => {
  const file = written(text);
  await expect(csv(file, { label: 'y', ...options })).rejects.toThrow(message.replace('FILE', file));
});

test('text of another encoding is refused by line or row, where two names would become one', async () => {
  const latin = (text: string) => Buffer.from(text, 'latin1');
  const file = written(latin('a,y\r\n1,x\r\n2,Müll\r\n3,Mäll\r\n'));
  await expect(csv(file, { label: 'y' })).rejects.toThrow(`'${file}', line 3: there are bytes that are not UTF-8`);
  written(latin('a,y\r1,x\r2,Müll'));
  await expect(csv(file, { label: 'y' })).rejects.toThrow(`'${file}', line 3: there are bytes that are not UTF-8`);
  const marked = Buffer.from('\ufeffa,y\n1,Müll\n2,Mäll\n', 'utf16le');
  expect((await csv(written(marked), { label: 'y' })).classes).toEqual(['Mäll', 'Müll']);
  written(Buffer.concat([marked, Buffer.of(0, 0xd8)])); // half of a pair
  await expect(csv(file, { label: 'y' })).rejects.toThrow(`'${file}' begins as UTF-16, and is not UTF-16 throughout`);

  const writer = new ByteWriter();
  const labels = { name: 'y', data: ['Mull', 'Mxll', 'Mxll'], type: 'STRING' as const };
  parquetWrite({
    writer,
    columnData: [{ name: 'a', data: [1, 2, 3], type: 'DOUBLE' }, labels],
    codec: 'UNCOMPRESSED',
    statistics: false,
  });
  const whole = Buffer.from(writer.getBuffer());
  for (let at = whole.indexOf('Mxll'); at !== -1; at = whole.indexOf('Mxll')) whole[at + 1] = 0xfc;
  await expect(parquet(written(whole, 'latin.parquet'), { label: 'y' })).rejects.toThrow(
    "latin.parquet', row 2, column 'y': 'M\\xfcll' is not UTF-8",
  );
});

test('Parquet: a number that is not finite, or too large for float32, is named by row and column', async () => {
  for (const [odd, shown] of [
    [Number.NaN, 'NaN'],
    [1e300, '1e+300'],
  ] as const) {
    const writer = new ByteWriter();
    const features = { name: 'a', data: [1, odd], type: 'DOUBLE' as const };
    parquetWrite({
      writer,
      columnData: [
        features,
        { name: 'b', data: [1, 2], type: 'DOUBLE' },
        { name: 'y', data: ['k', 'l'], type: 'STRING' },
      ],
    });
    const file = written(new Uint8Array(writer.getBuffer()), 'odd.parquet');
    await expect(parquet(file, { label: 'y', features: ['a'] })).rejects.toThrow(
      `'${file}', row 2, column 'a': '${shown}' is no finite number of float32`,
    );
    if (Number.isNaN(odd))
      await expect(parquet(file, { label: 'a', features: ['b'] })).rejects.toThrow(
        "row 2, column 'a': there is no label",
      );
  }
});

test('Parquet: whole numbers, truth values and lists are features; gaps, dates and ragged lists are refused', async () => {
  const kinds = join(tables, 'kinds.parquet');
  const made = await parquet(kinds, { label: 'kind', features: ['id', 'wet', 'points'] });
  expect([[...made.values], made.classes, made.sampleShape]).toEqual([
    [1, 1, 1.5, 2, 2, 0, 3, 4, 3, 1, 5, 6.25],
    ['7', '8'],
    [4],
  ]);
  const of = (feature: string) => parquet(kinds, { label: 'kind', features: [feature] });
  await expect(of('gap')).rejects.toThrow(`'${kinds}', row 2, column 'gap': there is no value`);
  await expect(of('ragged')).rejects.toThrow("row 2, column 'ragged': a list of 2, and the first row has 1");
  await expect(of('day')).rejects.toThrow("row 1, column 'day'");
  await expect(of('none')).rejects.toThrow(`'${kinds}' has no column 'none'`);
  await expect(of('gaps')).rejects.toMatchObject({
    remedy: expect.stringContaining("did you mean 'gap'? Its columns are 'id'"),
  });
  await expect(parquet(iris, { label: 'species' })).rejects.toThrow(`'${iris}' cannot be read as Parquet`);
  await expect(parquet(join(folder, 'none'), { label: 'y' })).rejects.toThrow('cannot be read as Parquet');
});

test('Parquet: a damaged count is refused at once, where it would be a loop of 2³¹ values', async () => {
  const altering = (whole: Buffer, part: readonly number[]) => {
    const at = whole.indexOf(Buffer.from(part));
    expect(at).toBeGreaterThan(0);
    return (...bytes: number[]): Promise<unknown> => {
      const copy = Buffer.from(whole);
      copy.set(bytes, at);
      return parquet(written(copy, 'altered.parquet'), { label: 'y' });
    };
  };
  const most = [0xfe, 0xff, 0xff, 0xff, 0x0f]; // a run of 2³¹ − 1, in place of one of 100 at level 1
  const wanted = "cannot be read as Parquet: column 'x': a page has a run of 2147483647 where 100 values are left";

  const first = altering(readFileSync(join(tables, 'counted.parquet')), [3, 0, 0, 0, 0xc8, 1, 1]); // 3 bytes of runs
  expect(await first()).toMatchObject({ size: 100 });
  await expect(first(6, 0, 0, 0, ...most, 1)).rejects.toThrow(wanted);
  await expect(first(3, 0, 0, 0x70)).rejects.toThrow(/column 'x': a page of \d+ bytes has runs up to byte 1879048199/);

  const writer = new ByteWriter(); // pages of version 2
  const data = Array.from({ length: 100 }, (_, i) => i + 0.5);
  const column = (name: string) => ({ name, data, type: 'DOUBLE', nullable: true }) as const;
  parquetWrite({ writer, columnData: [column('x'), column('y')], codec: 'UNCOMPRESSED' });
  const second = altering(Buffer.from(writer.getBuffer()), [0x15, 6, 0x15, 0, 0, 0, 0xc8, 1, 1]); // 3 bytes, in zigzag
  expect(await second()).toMatchObject({ size: 100 });
  await expect(second(0x15, 12, 0x15, 0, 0, 0, ...most, 1)).rejects.toThrow(wanted);
  await expect(second(0x15, 0x7f)).rejects.toThrow("column 'x': it states -64 bytes of levels");
});

test('Snappy: every element is unpacked, and none goes beyond input or output', () => {
  const literal = (length: number) => Array.from({ length }, (_, i) => (i * 7) % 256);
  const block = [
    0xec,
    2,
    0xf0,
    69,
    ...literal(70),
    0x05,
    3,
    0x0e,
    70,
    0,
    0xff,
    10,
    0,
    0,
    0,
    0xf4,
    200,
    0,
    ...literal(201),
  ];
  const made = [...literal(70)];
  for (const [back, size] of [
    [3, 5],
    [70, 4],
    [10, 64],
  ] as const)
    for (let i = 0; i < size; i++) made.push(made.at(-back)!);
  made.push(...literal(201));
  const length = made.length;
  block.splice(0, 2, 128 + (length % 128), Math.floor(length / 128));
  expect([...unpackSnappy(Uint8Array.from(block), length)]).toEqual(made);
  for (let cut = 0; cut < block.length; cut++) {
    expect(() => unpackSnappy(Uint8Array.from(block.slice(0, cut)), length)).toThrow('a block of Snappy is damaged');
  }
  // a literal whose length is negative in 32 bits: hyparquet runs back over its input
  expect(() => unpackSnappy(Uint8Array.from([4, 0xfc, 0, 0, 0, 0x9a, 1, 2, 3]), 4)).toThrow('goes beyond its end');
  expect(() => unpackSnappy(Uint8Array.from([4, 0x0c, 1, 2, 3, 4]), 5)).toThrow('it holds 4 bytes, where 5');
});

test('float32 comes back from CSV and Parquet to the bit', async () => {
  const finite = fc.float({ noNaN: true, noDefaultInfinity: true });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(finite, finite), { minLength: 1, maxLength: 20 }), async (rows) => {
      const wanted = Float32Array.from(rows.flat());
      const text = `a,b,y\n${rows.map(([a, b]) => `${a},${b},k`).join('\n')}\n`;
      expect((await csv(written(text), { label: 'y' })).values).toEqual(wanted.map((x) => x + 0));
      const writer = new ByteWriter();
      const column = (name: string, i: 0 | 1) => ({ name, data: rows.map((row) => row[i]), type: 'DOUBLE' as const });
      const labels = { name: 'y', data: rows.map(() => 'k'), type: 'STRING' as const };
      parquetWrite({ writer, columnData: [column('a', 0), column('b', 1), labels] });
      const file = written(new Uint8Array(writer.getBuffer()), 'table.parquet');
      expect((await parquet(file, { label: 'y' })).values).toEqual(wanted);
    }),
    { numRuns: 20 },
  );
});

test('the features have the moments that NumPy finds', async () => {
  const { values } = await csv(iris, { label: 'species' });
  const mean = [5.843333326975505, 3.0573333358764647, 3.7579999883969624, 1.1993333247800668];
  for (const [feature, wanted] of mean.entries()) {
    const own = [...values].filter((_, i) => i % 4 === feature);
    expect(own.reduce((sum, x) => sum + x, 0) / 150).toBeCloseTo(wanted, 12);
  }
  expect(readFileSync(iris, 'utf8').split('\n')).toHaveLength(152);
});
