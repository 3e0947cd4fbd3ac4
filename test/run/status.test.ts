import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { statusTable } from '../../src/cli/status.js';
import { runsBeside } from '../../src/monitor/run-summary.js';
import { lastRecords, statusOf, unreadableRun } from '../../src/run/status.js';
import { lockFolder } from '../../src/storage/lock.js';
import { record, z } from '../../src/storage/record.js';
import { type PlannedNetwork, RunFolder } from '../../src/storage/run-folder.js';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'weir-status-'));
});
afterEach(() => rmSync(base, { recursive: true }));

const names: readonly PlannedNetwork[] = [
  { name: 'none', epochs: 10 },
  { name: 'rep-spectral', epochs: 10, branch: { of: 'none', epoch: 6 } },
  { name: 'll-spectral', epochs: 10, branch: { of: 'none', epoch: 6 } },
];

const attack = record({
  name: 'FGSM',
  role: 'attack',
  total: 'total',
  fields: { outcome: z.string(), total: z.int() },
});

/** A run of three networks over 10 epochs whose log holds these lines. */
function made(name: string, lines: readonly object[], networks = names): RunFolder {
  const config = {};
  const folder = RunFolder.create(join(base, name), { module: 'gone.ts', pipeline: 'p', seed: 0, config, networks });
  folder.declare({ attacks: attack.description });
  const log = folder.metrics;
  for (const line of lines) log.append(line as never);
  log.close();
  return folder;
}

/** Two updates a second, five an epoch. */
const updates = (network: string, from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => {
    const number = from + i + 1;
    const wall = { seconds: number / 2 };
    return { network, stream: 'updates', number, epoch: Math.ceil(number / 5), endsEpoch: number % 5 === 0, wall };
  });

const attacks = (network: string, n: number, more = {}) =>
  Array.from({ length: n }, (_, i) => {
    const wall = { seconds: 25 + 3 * (i + 1) };
    return { network, stream: 'attacks', number: 50, epoch: 10, index: i, outcome: 'found', total: 4, wall, ...more };
  });

test('in training: how far, how fast, how long it takes to train this network, and all of them', async () => {
  const folder = made('training', updates('none', 0, 20));
  folder.snapshots('none').write(18, {}, {});
  const lock = lockFolder(folder.path);
  const status = await statusOf(folder.path);
  expect(status).toMatchObject({
    state: 'running',
    process: { pid: process.pid, host: hostname() },
    failure: null,
    network: { name: 'none', index: 1, of: 3 },
    phase: 'training',
    epoch: 4,
    epochs: 10,
    update: 20,
    updates: 50,
    rate: 2,
    measured: null,
    secondsLeft: 15, // 30 updates
    secondsToTrain: 35, // and twice four epochs of five updates
  });
  expect(status.snapshotAge).toBeLessThan(20);
  lock.release();
  expect(await statusOf(folder.path)).toMatchObject({ state: 'stopped', process: null });
});

test('in the middle of an epoch the updates of whole ones count; in the first they are not known, or as an update tells them', async () => {
  expect(await statusOf(made('middle', updates('none', 0, 17)).path)).toMatchObject({
    epoch: 4,
    update: 17,
    updates: 50,
    secondsLeft: 16.5,
  });
  expect(await statusOf(made('first', updates('none', 0, 3)).path)).toMatchObject({
    epoch: 1,
    update: 3,
    updates: null,
    secondsLeft: null,
    secondsToTrain: null,
    phase: 'training',
  });
  const lines = updates('none', 0, 3).map((line) => ({ ...line, updatesInEpoch: 5 }));
  expect(await statusOf(made('told', lines).path)).toMatchObject({ update: 3, updates: 50, secondsLeft: 23.5 });
});

test('the total of an attack is that of its records, not the one asked for; the attack on an earlier update is over', async () => {
  const lines = (network: string, n: number, more: object) => attacks(network, n, { total: 3, ...more });
  const asked = made('asked', [...updates('none', 0, 50), ...lines('none', 2, {})]);
  expect(await statusOf(asked.path)).toMatchObject({
    measured: { name: 'FGSM', role: 'attack', done: 2, of: 3 },
    secondsLeft: expect.closeTo(3),
  });
  const again = made('again', [
    ...updates('none', 0, 25),
    ...lines('none', 3, { number: 25 }),
    ...lines('none', 1, {}),
  ]);
  expect(await statusOf(again.path)).toMatchObject({ measured: { stream: 'attacks', done: 1, of: 3 } });
});

test('in an attack: so many samples since the training ended', async () => {
  const folder = made('attack', [...updates('none', 0, 50), ...attacks('none', 3)]);
  expect(await statusOf(folder.path)).toMatchObject({
    phase: 'measuring',
    measured: { done: 3, of: 4 },
    rate: expect.closeTo(1 / 3),
    secondsLeft: expect.closeTo(3),
    epoch: 10,
    update: 50,
    secondsToTrain: 20,
  });
});

test('pictures that fill the end of the log hide neither the attack nor the training before it', async () => {
  const original = { float32: 'A'.repeat(600_000) };
  const folder = made('pictures', [...updates('none', 0, 50), ...attacks('none', 2, { original })]);
  expect(await statusOf(folder.path)).toMatchObject({ measured: { done: 2, of: 4 }, update: 50, secondsToTrain: 20 });
});

test('a network that has just begun has no rate yet; the one before it gives none', async () => {
  const folder = made('begun', [...updates('none', 0, 50), ...updates('rep-spectral', 30, 31)]);
  expect(await statusOf(folder.path)).toMatchObject({
    network: { name: 'rep-spectral', index: 2, of: 3 },
    rate: null,
    secondsLeft: null,
    secondsToTrain: null,
  });
});

test('killed, failed, done, and nothing logged yet', async () => {
  const killed = made('killed', updates('none', 0, 5));
  writeFileSync(join(killed.path, 'lock.1'), JSON.stringify({ pid: 2 ** 30, host: hostname() }));
  expect(await statusOf(killed.path)).toMatchObject({ state: 'killed', process: { pid: 2 ** 30 }, snapshotAge: null });

  const failed = made('failed', []);
  failed.failure = { message: 'the loss is not a number', at: '2026-01-02T03:04:05Z' };
  expect(await statusOf(failed.path)).toMatchObject({ state: 'failed', network: null, phase: null, rate: null });
  failed.failure = undefined;
  expect(await statusOf(failed.path)).toMatchObject({ state: 'stopped', failure: null });

  const done = made('done', updates('none', 0, 50), [names[0]!]);
  const log = done.metrics;
  done.snapshots('none').write('done', { logged: log.mark }, {});
  log.close();
  expect(await statusOf(done.path)).toMatchObject({ state: 'done', phase: 'measuring', secondsToTrain: 0 });
  const whole = readFileSync(done.log, 'utf8');
  const tampered = whole.replace('"number":7', '"number":8');
  for (const [text, what] of [
    [whole.slice(0, -100), /was cut: it has \d+ of \d+ bytes/],
    [tampered, /is altered/],
    [`${whole}{"network":"none"}\n`, /has 19 bytes more than the run wrote/],
  ] as const) {
    writeFileSync(done.log, text);
    expect(await statusOf(done.path)).toMatchObject({ state: 'damaged', damage: expect.stringMatching(what) });
  }
  rmSync(done.log);
  expect(await statusOf(done.path)).toMatchObject({ state: 'damaged', damage: expect.stringContaining('is gone') });

  const elsewhere = made('elsewhere', []);
  writeFileSync(join(elsewhere.path, 'lock.1'), JSON.stringify({ pid: 7, host: 'another' }));
  expect(await statusOf(elsewhere.path)).toMatchObject({ state: 'elsewhere', process: { host: 'another' } });
});

test('a run of an older format is not damaged: it has a state of its own', async () => {
  const { path } = made('older', []);
  const file = join(path, 'config.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/"format": ?4/, '"format": 2'));
  const error = await statusOf(path).catch((error: Error) => error);
  const status = unreadableRun(path, error as Error);
  expect(status).toMatchObject({ state: 'older format', pipeline: 'p', damage: null });
  expect(stripVTControlCharacters(statusTable([status]).join('\n'))).toMatch(/^older format {2}/m);
  expect(await runsBeside(path)).toMatchObject([{ name: 'older', state: 'older format', pipeline: 'p', seed: 0 }]);
  expect(unreadableRun(path, new Error('odd'))).toMatchObject({ state: 'damaged', damage: 'odd' });
});

test('members of an ensemble are one network', async () => {
  const both = [{ name: 'xor', epochs: 10, members: ['none-s0', 'none-s1'] }];
  const lines = updates('none-s0', 0, 20).flatMap((line) => [line, { ...line, network: 'none-s1' }]);
  const folder = made('ensemble', lines, both);
  expect(await statusOf(folder.path)).toMatchObject({ network: { name: 'xor', of: 1 }, rate: 2, secondsLeft: 15 });
});

test('as lines: columns aligned, a failure with its reason', async () => {
  const failed = made('failed', updates('none', 0, 10));
  failed.failure = { message: 'the disk is full\nand more', at: '2026-01-02T03:04:05Z' };
  const running = made('a-longer-name', updates('rep-spectral', 30, 40));
  mkdirSync(join(base, 'empty'));
  const lock = lockFolder(running.path);
  const lines = statusTable([await statusOf(failed.path), await statusOf(running.path)]).map(stripVTControlCharacters);
  lock.release();
  const [head, first, second, reason] = lines as [string, string, string, string];
  for (const column of ['network', 'phase', 'epoch', 'to train', 'snapshot']) {
    const at = head.indexOf(column);
    expect([first[at - 1], second[at - 1]]).toEqual([' ', ' ']);
    expect([first[at], second[at]].includes(' ')).toBe(false);
  }
  expect(second).toContain('rep-spectral (2 of 3)');
  expect(second).toContain('2.00/s');
  expect(reason).toBe(`failed ${failed.shown}: the disk is full`);
  expect(statusTable([])).toEqual(['no runs']);
});

let file: string;
beforeAll(() => {
  file = join(mkdtempSync(join(tmpdir(), 'weir-tail-')), 'metrics.ndjson');
});
afterAll(() => rmSync(join(file, '..'), { recursive: true }));

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
