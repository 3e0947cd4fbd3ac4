import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { LogFollower } from '../../src/monitor/log-follower.js';

const folder = mkdtempSync(join(tmpdir(), 'weir-follow-'));
const file = join(folder, 'metrics.ndjson');
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => rmSync(file, { force: true }));

const line = (number: number, loss: unknown) =>
  `${JSON.stringify({ network: 'a', stream: 'updates', number, loss, epoch: 1 })}\n`;

test('reads what is new and never twice, a line that is being written when it is whole', async () => {
  const log = new LogFollower(file);
  expect(await log.follow()).toBe(false); // no log yet
  const text = line(0, 2) + line(1, 1);
  writeFileSync(file, text.slice(0, -10));
  await log.follow();
  expect(log.news().curves).toEqual([
    { network: 'a', stream: 'updates', field: 'loss', from: 0, curve: { width: 1, buckets: [[0, 2, 2, 2]] } },
  ]);
  expect(log.news().curves).toEqual([]);
  appendFileSync(file, text.slice(-10) + line(2, 0.5));
  expect(await log.follow()).toBe(true);
  expect(log.news().curves[0]).toMatchObject({
    from: 1,
    curve: {
      buckets: [
        [1, 1, 1, 1],
        [2, 0.5, 0.5, 0.5],
      ],
    },
  });
});

test('a log that was cut back is read anew', async () => {
  writeFileSync(file, line(0, 2) + line(1, 1));
  const log = new LogFollower(file);
  await log.follow();
  truncateSync(file, line(0, 2).length);
  await log.follow();
  expect(log.epoch).toBe(1);
  expect(log.whole.curves[0]!.curve.buckets).toEqual([[0, 2, 2, 2]]);
});

test('σ is a curve a layer; attacked samples are a list; what is no record is passed by', async () => {
  const records = [
    { network: 'a', stream: 'sigmas', number: 3, sigma: { hidden: 4, readout: 5 } },
    { network: 'a', stream: 'updates', number: 0, loss: 0, epochLoss: 0, epochAccuracy: 0 }, // nothing was trained yet
    { network: 'a', stream: 'ticks', number: 3, loss: 1, epochLoss: 2, epochAccuracy: 0.5, rate: 0.1 },
    { network: 'a', stream: 'updates', number: 4, rate: 0.05 },
    { network: 'a', stream: 'attacks', number: 3, index: 7, outcome: 'found', distance: 1.5, lower: 0.5 },
    { network: 'a', stream: 'attacks', number: 3, index: 8, outcome: 'gave up', distance: null },
  ];
  writeFileSync(file, `not json\n[1]\n7\nnull\n${records.map((record) => JSON.stringify(record)).join('\n')}\n`);
  const log = new LogFollower(file);
  await log.follow();
  expect(log.whole.curves.map(({ stream, field }) => `${stream} ${field}`)).toEqual([
    'sigmas sigma.hidden',
    'sigmas sigma.readout',
    'updates rate',
  ]);
  expect(log.whole.attacks).toEqual([
    { network: 'a', stream: 'attacks', number: 3, index: 7, outcome: 'found', distance: 1.5, lower: 0.5 },
    { network: 'a', stream: 'attacks', number: 3, index: 8, outcome: 'gave up', distance: null, lower: null },
  ]);
});

test('NaN and infinities are values like others: the newest, and no range', async () => {
  const losses = ['NaN', 2, 'NaN', 'Infinity', 'NaN'];
  const line = (loss: unknown) => JSON.stringify({ network: 'a', stream: 'tests', number: 3, loss });
  writeFileSync(file, `${losses.map(line).join('\n')}\n`);
  const log = new LogFollower(file);
  await log.follow();
  expect(log.whole.curves[0]!.curve.buckets).toEqual([[3, 2, Number.POSITIVE_INFINITY, Number.NaN]]);
  expect(log.newest[0]!.value).toBeNaN();
});

test('a log of any number of curves and attacked samples takes a bounded amount of memory', async () => {
  const wide = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`field${i}`, i]));
  const attack = `${JSON.stringify({ network: 'a', stream: 'attacks', number: 1, index: 1, outcome: 'found', distance: 1 })}\n`;
  writeFileSync(file, `${JSON.stringify({ network: 'a', stream: 'x', number: 1, ...wide })}\n${attack.repeat(6000)}`);
  const log = new LogFollower(file);
  await log.follow();
  expect([log.whole.curves.length, log.omitted, log.whole.attacks.length]).toEqual([400, 600, 5000]);
});
