import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetMetadata } from 'hyparquet';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exposition, familiesOf } from '../../src/monitor/exposition.js';
import { ViewModel } from '../../src/monitor/view-model.js';
import { recordsOf } from '../../src/run/run-log.js';
import { statusOf } from '../../src/run/status.js';
import { RunFolder } from '../../src/storage/run-folder.js';
import { call } from '../cli/weir.js';
import { inside, readEvents, text } from '../export/read-events.js';
import { scraped } from '../monitor/scraped.js';
import { fgsmRecord } from './own-measurement.js';

const base = mkdtempSync(join(tmpdir(), 'weir-own-'));
const run = join(base, 'run');
let said: string;
beforeAll(async () => {
  const { status, err } = await call('run', 'test/run/own-measurement.ts', '--run', run);
  expect(status, err).toBe(0);
  said = err;
});
afterAll(() => rmSync(base, { recursive: true }));

test('the run’s folder has the schemas of its streams, as their stages and operators declare them', () => {
  const { streams } = RunFolder.open(run);
  expect(streams.fgsm).toEqual(fgsmRecord.description);
  expect(Object.entries(streams).map(([stream, { role, open }]) => [stream, role, open ?? false])).toEqual([
    ['network', 'network', false],
    ['updates', 'training', false],
    ['tests', 'test', false],
    ['fgsm', 'attack', false],
    ['drift', 'measurement', false],
    ['plain', 'training', true], // `map` may have changed the updates
  ]);
  const lines = [...recordsOf(RunFolder.open(run))].filter(({ stream }) => stream === 'fgsm');
  for (const line of lines) expect(fgsmRecord.schema.safeParse(line).error).toBeUndefined();
  expect(lines.length).toBe(8);
});

test('a record that does not match its schema ends the run with an error that names stream, field and types', async () => {
  const odd = join(base, 'odd');
  const { status, err } = await call('run', 'test/run/own-measurement.ts', '--set', 'odd=true', '--run', odd);
  expect(status).not.toBe(0);
  expect(err).toContain(
    "a record of stream 'fgsm' does not match its schema: field 'distance' is far (string), expected type number",
  );
  expect(await statusOf(odd)).toMatchObject({ state: 'failed' });
});

test('terminal and status show it', async () => {
  expect(said).toContain('FGSM · 8/8 samples · mean distance 1.00 (6 of 8)');
  for (const headline of ['loss 0.', 'test accuracy 50.0 %', 'drift 0.111']) expect(said).toContain(headline);
  expect(await statusOf(run)).toMatchObject({
    measured: { stream: 'fgsm', name: 'FGSM', role: 'attack', done: 8, of: 8 },
    epochs: 4,
  });
});

test('the page’s view model and /metrics have it', async () => {
  const view = new ViewModel(run);
  const readings = await view.readings();
  const news = await view.neighbor('run');
  view.close();
  expect(news?.sampled.fgsm).toEqual(fgsmRecord.description);
  expect(news?.samples.map(({ values }) => values.distance)).toEqual([0.25, 0.5, 0.75, null, 1.25, 1.5, 1.75, null]);
  expect(news?.curves.map(({ stream, field }) => `${stream} ${field}`)).toEqual(
    expect.arrayContaining(['updates epochLoss', 'tests accuracy', 'drift drift', 'plain warmth']),
  );
  const all = scraped(exposition(familiesOf(readings)).text);
  const of = (name: string, labels: Record<string, string> = {}) =>
    all.find((one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value));
  expect(of('weir_sampled_distance', { stream: 'fgsm', quantile: '1' })?.value).toBe(1.75);
  expect(of('weir_sampled_distance_count')?.value).toBe(6);
  expect(of('weir_sampled_records', { field: 'outcome', value: 'failed' })?.value).toBe(2);
  expect(of('weir_logged_drift', { stream: 'drift', role: 'measurement' })?.value).toBeCloseTo(1 / 9);
});

test('TensorBoard, CSV and Parquet have it', async () => {
  for (const args of [['board', '--tensorboard'], ['fgsm.csv', '--stream', 'fgsm'], ['all.parquet']]) {
    const [file, ...options] = args;
    const { status, err } = await call('export', run, join(base, file!), ...options);
    expect(status, err).toBe(0);
  }
  const { createdAt } = RunFolder.open(run).started;
  const events = join(
    base,
    'board/own-measurement',
    `events.out.tfevents.${Math.floor(Date.parse(createdAt) / 1000)}.weir`,
  );
  const tags = readEvents(events).flatMap((event) => inside(event, 5, 1).map((value) => text(value, 1)));
  expect(tags).toEqual(
    expect.arrayContaining([
      'fgsm/distance',
      'fgsm/distance (mean)',
      'fgsm/distance (not finite)',
      'fgsm/outcome (failed)',
      'drift/drift',
    ]),
  );
  const [head, first] = readFileSync(join(base, 'fgsm.csv'), 'utf8').split('\n');
  expect(head).toBe('network,stream,number,epoch,position,index,outcome,distance,total,wall.seconds');
  expect(first).toMatch(/^own-measurement,fgsm,8,4,16,0,found,0\.25,8,/);
  const { buffer } = readFileSync(join(base, 'all.parquet'));
  const { key_value_metadata: metadata = [] } = parquetMetadata(buffer as ArrayBuffer);
  const { value } = metadata.find(({ key }) => key === 'weir.streams')!;
  expect(JSON.parse(value!).fgsm).toEqual(fgsmRecord.description);
});
