import { expect, test } from 'vitest';
import { terminalFor } from '../../src/run/terminal.js';
import type { ProgressView } from '../../src/run/view.js';

const viewAt = (epoch: number, more: Partial<ProgressView> = {}): ProgressView => ({
  ...{ pipeline: 'xor', network: { name: 'none', index: 1, of: 2 }, phase: 'training', epoch, epochs: 15_000 },
  ...{
    update: epoch,
    updates: 15_000,
    loss: 0.5,
    testAccuracy: null,
    sigma: {},
    rate: null,
    secondsLeft: null,
    bottleneck: null,
    ranks: null,
  },
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
  expect(tty.written[3]).toMatch(/^xor: none/); // what was left standing stays
});

test('a window made narrower folds the old lines, and they are all taken back', () => {
  const tty = screen(true, 80);
  const terminal = terminalFor(tty, { env: { NO_COLOR: '1' } });
  terminal.show(viewAt(1)); // lines of 39, 42, 17 and 25 columns
  tty.columns = 20;
  terminal.show(viewAt(2));
  expect(tty.written[1]!.startsWith('\x1b[8A\r')).toBe(true);
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
