import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Going, LivePulse } from '../../src/monitor/messages.js';
import { readRecording } from '../../src/storage/recording-reader.js';
import { call, hashOf, type Started, start, weir } from '../cli/weir.js';
import { scraped } from './scraped.js';
import { Monitor, throughSocket } from './watched.js';

const settings = [
  'regularizers=none,rep-spectral',
  'seeds=1',
  'epochs=6000',
  'burnIn=3000',
  'logEvery=50',
  'iterations=6',
];
const args = (folder: string, ...more: string[]) => [
  ...['run', 'pipelines/xor.ts', '--run', folder],
  ...settings.flatMap((setting) => ['--set', setting]),
  ...more,
];
const endless = ['--set', 'epochs=1000000'];
const snapshots = (folder: string) =>
  existsSync(join(folder, 'snapshots/xor')) ? readdirSync(join(folder, 'snapshots/xor')) : [];
const logged = (folder: string) => statSync(join(folder, 'metrics.ndjson')).size;

let base: string;
const begun: Started[] = [];

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'weir-watched-'));
});
afterAll(async () => {
  for (const { child, ended } of begun) {
    child.kill('SIGKILL');
    await ended;
  }
  rmSync(base, { recursive: true });
});

async function watched(folder: string, ...more: string[]): Promise<{ run: Started; monitor: Monitor }> {
  const run = start(...args(folder, '--monitor', '0', ...more));
  begun.push(run);
  await Promise.race([run.said('training'), run.ended]);
  return { run, monitor: Monitor.in(await run.heard()) };
}

test('while it trains the page is there and live; pause holds, a snapshot is written, stop exits 75 and a resume ends in the same bits', async () => {
  const whole = join(base, 'whole');
  const undisturbed = call(...args(whole));
  const folder = join(base, 'run');
  const { run, monitor } = await watched(folder, '--snapshot-every', '3600');
  expect((await monitor.ask('/')).text).toContain('<h2 id="h-curves">');
  const scrape = async () => scraped((await monitor.ask('/metrics')).text);
  const valueIn = (all: Awaited<ReturnType<typeof scrape>>, name: string, labels = {}) =>
    all.find((one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value))
      ?.value;
  let first = await scrape(); // with nobody watching: the run is asked for it
  const trained = () => valueIn(first, 'weir_stage_items_total', { stage: 'train' }) ?? 0;
  while (run.child.exitCode === null && trained() === 0) first = await scrape(); // it said that it begins
  expect(trained()).toBeGreaterThan(0);
  expect(valueIn(first, 'weir_run_state', { state: 'running' })).toBe(1);
  expect(valueIn(first, 'weir_viewers')).toBe(0);
  const pulse = await monitor.event<LivePulse>('pulse');
  expect(pulse.network).toEqual({ name: 'xor', index: 1, of: 1 });
  expect(pulse.stages.map(({ name }) => name)).toContain('train');
  expect(pulse.stages.some(({ name }) => name.startsWith('log '))).toBe(false);
  expect(pulse.tensors!.count).toBeGreaterThan(0);

  expect((await monitor.ask('/api/do/pause', 'POST')).status).toBe(401); // no token
  expect((await monitor.act('pause')).status).toBe(202);
  await monitor.event<Going>('going', ({ state }) => state === 'paused');
  const paused = await scrape();
  expect(valueIn(paused, 'weir_run_state', { state: 'paused' })).toBe(1);
  expect(valueIn(paused, 'weir_logged_rate')).toBe(1);
  expect(valueIn(paused, 'weir_update')).toBeGreaterThan(0);
  expect(valueIn(paused, 'weir_resident_memory_bytes')).toBeGreaterThan(2 ** 25);
  expect(valueIn(paused, 'weir_event_loop_delay_seconds')).toBeGreaterThanOrEqual(0);
  const before = logged(folder);
  const count = snapshots(folder).length;
  expect((await monitor.act('snapshot')).status).toBe(202); // a held run stands at a barrier already
  await monitor.event<unknown[]>('snapshots', (all) => all.length > count);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(logged(folder)).toBe(before); // it did not move
  await monitor.act('resume');
  await monitor.event<Going>('going', ({ state }) => state === 'running');
  while (run.child.exitCode === null && logged(folder) === before)
    await new Promise((resolve) => setTimeout(resolve, 5));
  await monitor.act('pause');
  await monitor.event<Going>('going', ({ state }) => state === 'paused');
  expect((await monitor.act('stop')).status).toBe(202); // also where it is held
  const { status, out } = await run.ended;
  expect([status, out]).toEqual([75, expect.stringContaining(`weir resume ${folder}`)]);
  expect(existsSync(join(folder, 'control.json'))).toBe(false);

  expect((await call('resume', folder)).status).toBe(0);
  expect((await undisturbed).status).toBe(0);
  expect(await hashOf(folder)).toBe(await hashOf(whole));
});

test('any run can be tapped and recorded by the user who started it, through a socket that nobody else can enter', async () => {
  const folder = join(base, 'tapped');
  const run = start(...args(folder, ...endless));
  begun.push(run);
  await run.said('training');
  expect(await run.heard()).not.toContain('http');
  expect((await weir('tap', folder, 'train', '--items', '1')).status).toBe(0); // waits until it listens
  const note = JSON.parse(readFileSync(join(folder, 'control.json'), 'utf8')) as { socket: string; token: string };
  expect(statSync(join(folder, 'control.json')).mode & 0o077).toBe(0);
  expect(statSync(dirname(note.socket)).mode & 0o077).toBe(0);
  expect(note.socket.length).toBeLessThan(104);
  expect((await throughSocket(folder, '/api/tap?edge=train')).status).toBe(401);
  expect((await throughSocket(folder, '/api/live', { Host: 'evil.example' })).status).toBe(403);

  const tap = await call('tap', folder, 'train', '--items', '3', '--rate', '50');
  expect([tap.status, tap.err]).toEqual([0, expect.stringMatching(/^3 items, \d+ dropped\n$/)]);
  const lines = tap.out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toHaveLength(3);
  expect(lines[2]).toMatchObject({
    position: expect.any(Number),
    dropped: expect.any(Number),
    item: { number: expect.any(Number) },
  });
  expect(lines[2].item.number).toBeGreaterThan(lines[0].item.number);

  const unknown = await call('tap', folder, 'trian');
  expect(unknown.status).toBe(1);
  expect(unknown.err).toMatch(/the graph has no edge after 'trian'\n.*tap one of .*'train'/);
  expect((await call('tap', folder, 'train', '--policy', 'all')).err).toContain('latest, sample:EVERY or buffer:SIZE');

  const file = join(base, 'updates.weirrec');
  expect((await call('record', folder, 'train', file, '--items', '20')).status).toBe(0);
  const frames = [...readRecording(file).frames];
  expect(frames.filter(({ kind }) => kind === 'item')).toHaveLength(20);
  const numbers = frames.flatMap((frame) => (frame.kind === 'item' ? [(frame.item as { number: number }).number] : []));
  const jumps = numbers.slice(1).filter((number, i) => number !== numbers[i]! + 1).length;
  expect(frames.filter(({ kind }) => kind === 'gap').length).toBeGreaterThanOrEqual(jumps); // none is missing in silence

  const looked = start('monitor', folder, '--port', '0'); // of the running run, from another process
  begun.push(looked);
  const monitor = await looked.printed(/http:.+/).then(([said]) => Monitor.in(said));
  expect((await monitor.event<LivePulse>('pulse')).network.name).toBe('xor');
  expect((await monitor.act('stop')).status).toBe(409); // it only looks, unless told --control
  looked.child.kill('SIGINT');
  expect((await looked.ended).status).toBe(0);
  expect(run.child.exitCode).toBe(null);
  run.child.kill('SIGKILL'); // it would take the processor from the tests that follow
  await run.ended;
});

test('`weir monitor` shows a run that is finished, and the runs beside it', async () => {
  const folder = join(base, 'whole');
  const shown = start('monitor', folder, '--port', '0');
  begun.push(shown);
  const monitor = await shown.printed(/http:.+/).then(([said]) => Monitor.in(said));
  expect(await monitor.event('status')).toMatchObject({ state: 'done', report: true });
  const { curves, samples } = await monitor.event<{ curves: { field: string }[]; samples: unknown[] }>(
    /^(log|points)$/,
    ({ curves }) => curves.length > 0,
  );
  expect(curves.map(({ field }) => field)).toEqual(expect.arrayContaining(['accuracy']));
  expect(samples.length).toBeGreaterThan(0);
  const runs = await monitor.event<{ name: string; own: boolean }[]>('runs');
  expect(runs.find(({ own }) => own)!.name).toBe('whole');
  expect(runs.map(({ name }) => name)).toContain('run');
  expect(JSON.parse((await monitor.ask('/api/run?name=run')).text).curves.length).toBeGreaterThan(0);
  expect((await monitor.ask('/api/run?name=..')).status).toBe(404);
  expect((await monitor.ask('/report')).text).toContain('<!doctype html>');
  const names = scraped((await monitor.ask('/metrics')).text).map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['weir_logged_loss', 'weir_snapshots_written_total']));
  expect(names).not.toContain('weir_resident_memory_bytes');
  expect((await monitor.act('stop')).status).toBe(409);
  expect((await call('tap', folder, 'train')).err).toContain('is not running on this machine');
});

test('with --no-control there is no socket to reach it by, and a page goes not with that', async () => {
  const folder = join(base, 'alone');
  const { status, err } = await call(...args(folder, '--no-control', '--monitor', '0'));
  expect([status, err]).toEqual([1, expect.stringMatching(/'--no-control' cannot be used with option '--monitor/)]);
  expect(existsSync(folder)).toBe(false);
  const run = start(...args(folder, ...endless), '--no-control');
  begun.push(run);
  while (run.child.exitCode === null && !existsSync(join(folder, 'metrics.ndjson')))
    await new Promise((resolve) => setTimeout(resolve, 10));
  await run.said('training');
  expect(existsSync(join(folder, 'control.json'))).toBe(false);
  expect((await call('tap', folder, 'train')).err).toContain('cannot be reached');
  run.child.kill('SIGKILL');
  await run.ended;
});

test('a port that is taken is told before the run begins', async () => {
  const shown = start('monitor', join(base, 'whole'), '--port', '0');
  begun.push(shown);
  const { base: url } = Monitor.in((await shown.printed(/http:.+/))[0]);
  const { status, err } = await call(...args(join(base, 'taken'), '--monitor', new URL(url).port));
  expect(status).toBe(1);
  expect(err).toContain('EADDRINUSE');
  expect(existsSync(join(base, 'taken/control.json'))).toBe(false);
});
