import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { columns } from '../../src/flow/terminal.js';
import { type ProgressView, render, renderLine, terminalFor } from '../../src/run/progress.js';

const view: ProgressView = {
  pipeline: 'mnist',
  network: { name: 'rep-spectral, seed 0', index: 4, of: 4 },
  phase: 'training',
  epoch: 12,
  epochs: 20,
  update: 708,
  updates: 1180,
  headlines: [
    { label: 'loss', value: 0.0312 },
    { label: 'test accuracy', unit: 'fraction', value: 0.978 },
    { label: 'σ', value: { hidden1: 3.21, readout: 1.08 } },
  ],
  rate: { value: 10240, unit: 'samples/s' },
  secondsLeft: 72,
  bottleneck: 'train',
  ranks: null,
  snapshot: { update: 600, secondsAgo: 12 },
};

const early: ProgressView = {
  pipeline: 'xor',
  network: { name: 'none', index: 1, of: 1 },
  phase: 'starting',
  epoch: 0,
  epochs: 0,
  update: 0,
  updates: 0,
  headlines: [],
  rate: null,
  secondsLeft: null,
  bottleneck: null,
  ranks: null,
};

test('one calm view', () => {
  expect(render(view, { width: 80, color: false })).toEqual([
    'mnist: rep-spectral, seed 0 · training · network 4 of 4',
    'epoch 12/20 · ━━━━━━━━━━━━━━────────── 60 % · 1 min 12 s left',
    'update 708/1,180 · 10,240 samples/s',
    'loss 0.0312 · test accuracy 97.8 %',
    'σ hidden1 3.21 · readout 1.08',
    'bottleneck: train · snapshot at update 600, 12 s ago',
  ]);
});

test('before anything is known there are dashes, not NaN', () => {
  expect(render(early, { width: 80, color: false })).toEqual([
    'xor: none · starting',
    'epoch 0/0 · ──────────────────────── 0 %',
    'update 0',
  ]);
});

test('a resumed run does not say an epoch that it does not know yet', () => {
  const resumed = { ...early, phase: 'training', epoch: null, epochs: 20, update: 708 };
  expect(render(resumed, { width: 80, color: false })[1]).toContain('epoch –/20');
  expect(renderLine(resumed)).toBe('xor: none · training · epoch –/20 · update 708');
});

test('a loss that is not a number is shown as it is', () => {
  const diverged = { ...view, headlines: [{ label: 'loss', value: Number.NaN }] };
  expect(render(diverged, { width: 80, color: false })[3]).toContain('loss NaN');
});

test('a measurement of single samples has a line and a bar of its own', () => {
  const measured = { done: 10, of: 40, mean: { label: 'mean distance', value: 1.42 } };
  const lines = render({ ...view, phase: 'FGSM', measured }, { width: 80, color: false });
  expect(lines[1]).toContain('25 %');
  expect(lines).toContain('FGSM 10/40 samples · mean distance 1.42');
  expect(lines.length).toBe(7);
});

test.each([1, 5, 20, 33, 44, 200])('no line is wider than %d columns, with and without colors', (width) => {
  const wide = { ...view, pipeline: '数字認識', measured: { done: 1, of: 40, mean: null } };
  for (const color of [true, false]) {
    for (const line of render(wide, { width, color })) expect(columns(line)).toBeLessThanOrEqual(width);
  }
});

test('colors change no letter, and are gone where they are not wanted', () => {
  const plain = render(view, { width: 80, color: false });
  expect(plain.join('')).toBe(stripVTControlCharacters(plain.join('')));
  expect(render(view, { width: 80, color: true }).map(stripVTControlCharacters)).toEqual(plain);
});

test('for a log, one line; of a deep network the largest σ', () => {
  expect(renderLine(view)).toBe(
    'mnist: rep-spectral, seed 0 (4 of 4) · training · epoch 12/20 · update 708/1,180 · loss 0.0312 · test accuracy 97.8 % · σ hidden1 3.21, readout 1.08 · 10,240 samples/s · 1 min 12 s left · bottleneck: train',
  );
  expect(renderLine({ ...view, headlines: [{ label: 'σ', value: { a: 1, b: 4, c: 2, d: 3 } }] })).toContain(
    'largest σ b 4.00',
  );
});

test('networks that are trained already have no line for epochs', () => {
  expect(renderLine({ ...early, pipeline: 'mnist-readout', phase: 'training' })).toBe(
    'mnist-readout: none · measuring',
  );
});

const viewAt = (epoch: number, more: Partial<ProgressView> = {}): ProgressView => ({
  pipeline: 'xor',
  network: { name: 'none', index: 1, of: 2 },
  phase: 'training',
  epoch,
  epochs: 15_000,
  update: epoch,
  updates: 15_000,
  headlines: [{ label: 'loss', value: 0.5 }],
  rate: null,
  secondsLeft: null,
  bottleneck: null,
  ranks: null,
  ...more,
});

function screen(isTTY: boolean, columns = 80) {
  const written: string[] = [];
  return { isTTY, columns, rows: 24, written, write: (text: string) => written.push(text) };
}

test('a log gets a line at most every five seconds, whatever the epochs and phases do', () => {
  let time = 0;
  const log = screen(false);
  const terminal = terminalFor(log, { now: () => time, env: {} });
  for (let epoch = 1; epoch <= 1200; epoch++) {
    terminal.show(viewAt(epoch, { phase: epoch % 2 ? 'training' : 'testing' }));
    time += 10;
  }
  expect(log.written.length).toBe(3); // at 0, 5 and 10 of 12 seconds
  terminal.end();
  expect(log.written.length).toBe(4); // the last view is never lost
  expect(log.written.join('')).not.toContain('\x1b');
});

test('a log hears of a new network at once, and within an epoch once a minute', () => {
  let time = 0;
  const log = screen(false);
  const terminal = terminalFor(log, { now: () => time, env: {} });
  terminal.show(viewAt(1));
  terminal.show(viewAt(1, { network: { name: 'rep-spectral', index: 2, of: 2 } }));
  expect(log.written.length).toBe(2);
  for (; time <= 60_000; time += 1000) terminal.show(viewAt(1, { network: { name: 'rep-spectral', index: 2, of: 2 } }));
  expect(log.written.length).toBe(3);
});

test('a terminal is drawn over in place: up as many lines as there were', () => {
  const tty = screen(true);
  const terminal = terminalFor(tty, { env: { NO_COLOR: '1' } });
  terminal.show(viewAt(1));
  terminal.show(viewAt(2));
  expect(tty.written[0]).toMatch(/^xor: none/);
  expect(tty.written[1]!.startsWith('\x1b[4A\rxor: none')).toBe(true);
  terminal.note('stopping at the next barrier');
  expect(tty.written[2]!.startsWith('\x1b[4A\rstopping at the next barrier\x1b[K\nxor')).toBe(true);
  terminal.end();
  terminal.show(viewAt(3));
  expect(tty.written[3]).toMatch(/^xor: none/); // the earlier line stays
});

test('a window made narrower folds the old lines, and they are all taken back', () => {
  const tty = screen(true, 80);
  const terminal = terminalFor(tty, { env: { NO_COLOR: '1' } });
  terminal.show(viewAt(1)); // lines of 39, 42, 17 and 10 columns
  tty.columns = 20;
  terminal.show(viewAt(2));
  expect(tty.written[1]!.startsWith('\x1b[7A\r')).toBe(true);
});

test('no colors with NO_COLOR or FORCE_COLOR=0; no moving about on a dumb terminal', () => {
  const colorful = (env: Record<string, string>) => {
    const tty = screen(true);
    terminalFor(tty, { env }).show(viewAt(1));
    return tty.written.join('').includes('\x1b[1m');
  };
  expect([colorful({}), colorful({ NO_COLOR: '1' }), colorful({ FORCE_COLOR: '0' })]).toEqual([true, false, false]);
  const dumb = screen(true);
  terminalFor(dumb, { env: { TERM: 'dumb' } }).show(viewAt(1));
  expect(dumb.written.join('')).not.toContain('\x1b');
});
