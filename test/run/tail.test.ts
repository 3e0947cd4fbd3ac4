import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lastRecords } from '../../src/run/tail.js';

let file: string;
beforeAll(() => {
  file = join(mkdtempSync(join(tmpdir(), 'weir-tail-')), 'metrics.ndjson');
});
afterAll(() => rmSync(join(file, './'), { recursive: true }));

test('no log, an empty one, a line that is being written, one that was altered', () => {
  expect(lastRecords(file)).toEqual([]);
  writeFileSync(file, '');
  expect(lastRecords(file)).toEqual([]);
  writeFileSync(file, '{"a":1}\nnot a record\n{"a":2}\n{"a":');
  expect(lastRecords(file)).toEqual([{ a: 1 }, { a: 2 }]);
});

test('of a long log the end, from a whole line on', () => {
  writeFileSync(file, Array.from({ length: 100_000 }, (_, i) => `{"number":${i}}\n`).join(''));
  const records = lastRecords(file);
  expect(records.at(-1)).toEqual({ number: 99_999 });
  expect(records.length).toBeLessThan(20_000);
  expect(records.map(({ number }) => number)).toEqual(records.map((_, i) => 100_000 - records.length + i));
});
