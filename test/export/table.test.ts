import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { csvOf, exportCsv } from '../../src/export/table.js';
import type { MetricRecord } from '../../src/storage/metric-reader.js';
import { call as weir } from '../cli/weir.js';
import { madeUpRun } from './made-up-run.js';

const base = mkdtempSync(join(tmpdir(), 'weir-csv-'));
afterAll(() => rmSync(base, { recursive: true }));
const csv = (...records: MetricRecord[]): string => [...csvOf(() => records)].join('');

test('nested fields have dots, columns a stable order, what is missing is empty', () => {
  const written = csv(
    { wall: { seconds: 1 }, loss: 0.1, position: 4, stream: 'updates', network: 'n', number: 1 },
    { sigma: { hidden1: 1.5, deeper: { still: -0.25 } }, stream: 'sigmas', network: 'n', number: 2, epoch: 3 },
    { loss: null, stream: 'updates', network: 'n', ok: true },
  );
  expect(written.split('\n')).toEqual([
    'network,stream,number,epoch,position,loss,sigma.hidden1,sigma.deeper.still,ok,wall.seconds',
    'n,updates,1,,4,0.1,,,,1',
    'n,sigmas,2,3,,,1.5,-0.25,,',
    'n,updates,,,,,,,true,',
    '',
  ]);
});

test('what needs quotes has them; numbers have all their digits; lists are JSON, arrays of the log left out', () => {
  const written = csv({
    ...{ 'a,b': 'x', quote: 'say "so"', line: 'one\ntwo', space: ' x', sum: 0.1 + 0.2, small: 5e-324, big: 1e21 },
    ...{ nan: Number.NaN, infinite: -Infinity, list: [1, 'a'], picture: { float32: 'AAAA' }, empty: '' },
  });
  expect(written).toBe(
    '"a,b",quote,line,space,sum,small,big,nan,infinite,list,empty\n' +
      'x,"say ""so""","one\ntwo"," x",0.30000000000000004,5e-324,1e+21,NaN,-Infinity,"[1,""a""]",\n',
  );
});

test('too many fields are refused', () => {
  function* wide(): Generator<MetricRecord> {
    for (let i = 0; i < 20_000; i++) yield { [`field${i}`]: i };
  }
  expect(() => [...csvOf(wide)]).toThrow('the metric log has more than 10000 fields');
});

test('memory does not grow with the log: records come one by one, twice', () => {
  let alive = 0;
  function* long(): Generator<MetricRecord> {
    for (let number = 0; number < 50_000; number++)
      yield { network: 'n', stream: 'updates', number, loss: 1 / (number + 1) };
    alive++;
  }
  const file = join(base, 'long.csv');
  expect(exportCsv(file, long, {})).toBe(50_000);
  expect(alive).toBe(2);
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  expect([lines.length, lines[1], lines.at(-1)]).toEqual([50_001, 'n,updates,0,1', 'n,updates,49999,0.00002']);
});

test('`weir export RUN FILE.csv` writes all, or a stream, or a network; one that is not there is refused with those there are', async () => {
  const run = madeUpRun(join(base, 'run'));
  const file = join(base, 'metrics.csv');
  const exported = async (...options: string[]) => {
    const { status, out, err } = await weir('export', run, file, ...options);
    return { status, rows: out.split('\n')[0], err };
  };
  expect(await exported()).toEqual({ status: 0, rows: '22 rows', err: '' });
  expect(await exported('--stream', 'sigmas', '--network', 'none')).toEqual({ status: 0, rows: '3 rows', err: '' });
  expect(readFileSync(file, 'utf8').split('\n').slice(0, 2)).toEqual([
    'network,stream,number,epoch,position,sigma.hidden1,sigma.readout,wall.seconds',
    'none,sigmas,0,0,0,0,2,0',
  ]);
  const { status, err } = await exported('--stream', 'sigma');
  expect(status).toBe(1);
  expect(err).toContain("nothing of stream 'sigma'");
  expect(err).toContain('its streams are network, updates, sigmas, tests, attacks; its networks none, rep-spectral');
  expect(readdirSync(base)).toEqual(expect.not.arrayContaining(['metrics.csv.part']));
  expect((await weir('export', run, join(base, 'no', 'such.csv'))).err).toContain('cannot write');
});
