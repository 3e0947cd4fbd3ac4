import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MetricLog } from '../../src/storage/metric-log.js';
import { readMetrics } from '../../src/storage/metric-reader.js';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-metrics-'));
  file = join(folder, 'metrics.ndjson');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('records come back, NaN and infinities too; the length counts those not yet written', () => {
  const log = new MetricLog(file);
  const records = [
    { update: 1, loss: 0.1, wall: { seconds: 2 } },
    { update: 2, loss: Number.NaN, sigma: [1, Number.POSITIVE_INFINITY, null], name: 'γ\n' },
  ];
  for (const record of records) log.append(record);
  expect(statSync(file).size).toBe(0);
  const length = log.length;
  log.flush({ sync: true });
  expect([statSync(file).size, log.length]).toEqual([length, length]);
  expect([...readMetrics(file)]).toEqual(records);
  for (let i = 0; i < 5000; i++) log.append({ update: i, loss: i / 3 });
  expect(statSync(file).size).toBeGreaterThan(length); // a bounded part waits in memory
  log.close();
  expect([...readMetrics(file)]).toHaveLength(5002);
});

test('a text that reads like a number that JSON lacks stays a text', () => {
  const record = { classes: ['NaN', '=NaN', 'Infinity', '-Infinity', '==Infinity', 'nan', '='], loss: Number.NaN };
  const log = new MetricLog(file);
  log.append(record);
  log.close();
  expect([...readMetrics(file)]).toEqual([record]);
});

test('now and then it is flushed for who looks at it; a full disk is told by the flush before a snapshot alone', () => {
  const log = new MetricLog(file);
  log.append({ update: 1 });
  log.flushAfter(60_000);
  expect(statSync(file).size).toBe(0);
  log.flushAfter(0);
  expect([...readMetrics(file)]).toEqual([{ update: 1 }]);
  log.close();
  if (process.platform !== 'linux') return;
  const full = new MetricLog('/dev/full');
  full.append({ update: 1 });
  full.flushAfter(0);
  expect(full.length).toBe(13);
  expect(() => full.flush()).toThrow('ENOSPC');
});

test('cut back to a snapshot and written again, it is the same', () => {
  const log = new MetricLog(file);
  const marks = [log.mark];
  for (let update = 1; update <= 20; update++) {
    log.append({ update, text: 'x'.repeat(update) });
    marks.push(log.mark);
  }
  log.close();
  const whole = readFileSync(file);
  fc.assert(
    fc.property(fc.nat(20), fc.nat(30), (at, torn) => {
      appendFileSync(file, `{"update":21,"text":"${'y'.repeat(100)}`.slice(0, torn)); // killed in the middle of a line
      const again = new MetricLog(file);
      expect(again.length).toBe(whole.length);
      again.cutBack(marks[at]!);
      for (let update = at + 1; update <= 20; update++) again.append({ update, text: 'x'.repeat(update) });
      again.close();
      expect(readFileSync(file).equals(whole)).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test('lines that are made again stay as they are, and what comes after them is written', () => {
  const log = new MetricLog(file);
  const append = (to: MetricLog, update: number, seconds: number): void =>
    to.append({ update, loss: update === 3 ? Number.NaN : 0.1 * update, wall: { seconds } });
  append(log, 1, 0.1);
  const first = log.mark;
  for (const update of [2, 3]) append(log, update, 0.1);
  const { mark } = log;
  log.close();
  const whole = readFileSync(file, 'utf8');
  const again = new MetricLog(file);
  again.follow(first, { more: true });
  expect(again.mark).toEqual(first);
  for (const update of [2, 3]) append(again, update, 7);
  expect(again.mark).toEqual(mark);
  expect(readFileSync(file, 'utf8')).toBe(whole);
  append(again, 4, 8);
  again.flush();
  expect([...readMetrics(file)].map(({ update }) => update)).toEqual([1, 2, 3, 4]);
  again.close();
});

test('where lines that are made again come out otherwise nothing is written, and the place is named', () => {
  const log = new MetricLog(file);
  for (const loss of [0.5, 0.25]) log.append({ loss });
  log.flush();
  log.follow({ bytes: 0 }, { more: false });
  log.append({ loss: 0.5 });
  expect(() => log.append({ loss: 0.125 })).toThrow(
    `at byte 13 of ${file} there is {"loss":0.25}, and this time {"loss":0.125}`,
  );
  log.follow({ bytes: 0 }, { more: false });
  for (const loss of [0.5, 0.25]) log.append({ loss });
  expect(() => log.append({ loss: 1 })).toThrow('there is no line more');
  log.close();
  expect(readFileSync(file, 'utf8')).toBe('{"loss":0.5}\n{"loss":0.25}\n');
});

test('a log that is altered before a snapshot is told from it', () => {
  const log = new MetricLog(file);
  log.append({ loss: 0.5 });
  const { mark } = log;
  log.append({ loss: 0.25 });
  log.close();
  writeFileSync(file, readFileSync(file, 'utf8').replace('0.5', '0.6'));
  const altered = new MetricLog(file);
  expect(() => altered.cutBack(mark)).toThrow(`the metric log ${file} is altered: its first 13 bytes`);
  altered.close();
  expect([...readMetrics(file)]).toEqual([{ loss: 0.6 }, { loss: 0.25 }]);
});

test('a log that does not belong to the snapshot is not cut', () => {
  const log = new MetricLog(file);
  log.append({ update: 1 });
  expect(() => log.cutBack({ bytes: 100 })).toThrow(
    `the metric log ${file} has 13 bytes, but the snapshot was made when it had 100`,
  );
  expect(() => log.cutBack({ bytes: 5 })).toThrow('has no end of a line at byte 5');
  expect(log.length).toBe(13);
  log.close();
});

test('a torn last line longer than the buffer is cut, and a live reader leaves it out', () => {
  writeFileSync(file, `{"update":1}\n{"text":"${'z'.repeat(200_000)}`);
  expect([...readMetrics(file)]).toEqual([{ update: 1 }]);
  new MetricLog(file).close();
  expect(readFileSync(file, 'utf8')).toBe('{"update":1}\n');
});

test('a corrupt line is named', () => {
  const lines = ['{"update":1}', '{"update":2', '[1]', 'null', '\u0000\u0000'];
  for (const line of lines.slice(1)) {
    writeFileSync(file, `${lines[0]}\n${line}\n{"update":3}\n`);
    expect(() => [...readMetrics(file)]).toThrow(`line 2 of the metric log ${file} is not a record`);
  }
  writeFileSync(file, Buffer.concat([Buffer.from('{"text":"'), Buffer.of(0xff), Buffer.from('"}\n')]));
  expect(() => [...readMetrics(file)]).toThrow('line 1 of the metric log');
  expect(() => [...readMetrics(join(folder, 'none'))]).toThrow('ENOENT');
  expect(() => new MetricLog(join(folder, 'none', 'metrics.ndjson'))).toThrow('cannot open the metric log');
});

test.skipIf(process.platform !== 'linux')('a full disk (/dev/full) says so', () => {
  const log = new MetricLog('/dev/full');
  log.append({ update: 1 });
  expect(() => log.flush()).toThrow('cannot write the metric log /dev/full: the disk is full (ENOSPC)');
  expect(log.length).toBe(13); // it waits for the next flush
});
