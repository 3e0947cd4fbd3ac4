import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { LogFollower } from '../../src/monitor/log-follower.js';
import { category, quantities, quantity, record, z } from '../../src/storage/record.js';

const folder = mkdtempSync(join(tmpdir(), 'weir-follow-'));
const file = join(folder, 'metrics.ndjson');
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => rmSync(file, { force: true }));

const schemas = {
  fgsm: record({
    name: 'FGSM',
    role: 'attack',
    total: 'total',
    fields: { outcome: category(['found', 'failed']), distance: quantity(), total: z.int() },
  }).description,
  sigmas: record({ name: 'σ', role: 'spectrum', fields: { sigma: quantities() } }).description,
  updates: record({ name: 'training', role: 'training', fields: { loss: quantity(), rate: quantity() } }).description,
};

const line = (number: number, loss: unknown) =>
  `${JSON.stringify({ network: 'a', stream: 'updates', number, loss, epoch: 1 })}\n`;

test('reads what is new and never twice, a line that is being written when it is whole', async () => {
  const log = new LogFollower(file, () => schemas);
  expect(await log.follow()).toBe(false); // no log yet
  const text = line(1, 2) + line(2, 1);
  writeFileSync(file, text.slice(0, -10));
  await log.follow();
  expect(log.news().curves).toMatchObject([
    { network: 'a', stream: 'updates', field: 'loss', from: 0, curve: { width: 1, buckets: [[1, 2, 2, 2]] } },
  ]);
  expect(log.news().curves).toEqual([]);
  appendFileSync(file, text.slice(-10) + line(3, 0.5));
  expect(await log.follow()).toBe(true);
  expect(log.news().curves[0]).toMatchObject({
    from: 1,
    curve: {
      buckets: [
        [2, 1, 1, 1],
        [3, 0.5, 0.5, 0.5],
      ],
    },
  });
});

test('a log that was cut back is read anew', async () => {
  writeFileSync(file, line(1, 2) + line(2, 1));
  const log = new LogFollower(file, () => schemas);
  await log.follow();
  truncateSync(file, line(1, 2).length);
  await log.follow();
  expect(log.epoch).toBe(1);
  expect(log.whole.curves[0]!.curve.buckets).toEqual([[1, 2, 2, 2]]);
});

test('numbers of an update are curves, those of samples a list, as their schemas say; what is no record is passed by', async () => {
  const records = [
    { network: 'a', stream: 'sigmas', number: 3, sigma: { hidden: 4, readout: 5 }, bounds: { hidden: 1 } },
    { network: 'a', stream: 'updates', number: 0, loss: 0 }, // nothing was trained yet
    { network: 'a', stream: 'updates', number: 4, rate: 0.05, epochLoss: 1 },
    { network: 'a', stream: 'own', number: 4, epoch: 1, warmth: 7, note: 'n', more: { x: 1 } },
    { network: 'a', stream: 'fgsm', number: 3, index: 7, outcome: 'found', distance: 1.5, total: 2 },
    { network: 'a', stream: 'fgsm', number: 3, index: 8, outcome: 'failed', distance: 'NaN', total: 2 },
  ];
  writeFileSync(file, `not json\n[1]\n7\nnull\n${records.map((record) => JSON.stringify(record)).join('\n')}\n`);
  const log = new LogFollower(file, () => schemas);
  await log.follow();
  expect(log.whole.curves.map(({ stream, role, field, part }) => [stream, role, field, part])).toEqual([
    ['sigmas', 'spectrum', 'sigma.hidden', 'hidden'],
    ['sigmas', 'spectrum', 'sigma.readout', 'readout'],
    ['updates', 'training', 'rate', ''],
    ['own', 'measurement', 'warmth', ''], // a stream without a schema
    ['own', 'measurement', 'more.x', 'x'],
  ]);
  expect(log.whole.samples).toEqual([
    { network: 'a', stream: 'fgsm', number: 3, values: { outcome: 'found', distance: 1.5 } },
    { network: 'a', stream: 'fgsm', number: 3, values: { outcome: 'failed', distance: null } },
  ]);
  expect(Object.keys(log.whole.sampled)).toEqual(['fgsm']);
  expect(log.newestSamples.map(({ field, values }) => [field, values])).toEqual([
    ['outcome', ['found', 'failed']],
    ['distance', [1.5]],
  ]);
});

test('NaN and infinities are values like others: the newest, and no range', async () => {
  const losses = ['NaN', 2, 'NaN', 'Infinity', 'NaN'];
  const line = (loss: unknown) => JSON.stringify({ network: 'a', stream: 'tests', number: 3, loss });
  writeFileSync(file, `${losses.map(line).join('\n')}\n`);
  const log = new LogFollower(file, () => schemas);
  await log.follow();
  expect(log.whole.curves[0]!.curve.buckets).toEqual([[3, 2, Number.POSITIVE_INFINITY, Number.NaN]]);
  expect(log.newest[0]!.value).toBeNaN();
});

test('a log of any number of curves and samples takes a bounded amount of memory', async () => {
  const wide = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`field${i}`, i]));
  const attack = `${JSON.stringify({ network: 'a', stream: 'fgsm', number: 1, index: 1, outcome: 'found', distance: 1 })}\n`;
  writeFileSync(file, `${JSON.stringify({ network: 'a', stream: 'x', number: 1, ...wide })}\n${attack.repeat(6000)}`);
  const log = new LogFollower(file, () => schemas);
  await log.follow();
  expect([log.whole.curves.length, log.omitted, log.whole.samples.length]).toEqual([400, 600, 5000]);
});
