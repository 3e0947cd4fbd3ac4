import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { quantity, record } from '../../src/storage/record.js';
import { RunFolder } from '../../src/storage/run-folder.js';
import { type Started, start } from '../cli/weir.js';
import { chromiumPath, launched } from './chromium.js';

const UPDATES = 400;
const BRANCH = 100;
const FORK = 200;

/** How many rows of the first drawing have a color, from one share of its width to another. */
const rowsOf = (color: string, from: number, to: number): string => `(() => {
  const canvas = document.querySelector('#curves canvas');
  const { width, height, data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const wanted = [1, 3, 5].map((at) => Number.parseInt('${color}'.slice(at, at + 2), 16));
  const rows = new Set();
  for (let y = 0; y < height; y++)
    for (let x = Math.floor(${from} * width); x < ${to} * width; x++) {
      const at = 4 * (y * width + x);
      if (data[at + 3] > 200 && wanted.every((value, c) => Math.abs(data[at + c] - value) < 25)) rows.add(y);
    }
  return rows.size;
})()`;

const [BLACK, BLUE] = ['#333333', '#0072b2']; // of none and of rep-spectral, where both are shown

describe.skipIf(chromiumPath === undefined)('the page of a run that is over, in a headless Chromium', () => {
  const base = mkdtempSync(join(tmpdir(), 'weir-files-'));
  let browser: Browser;
  let monitor: Started;
  let page: Page;

  beforeAll(async () => {
    const start_ = { module: 'pipelines/xor.ts', pipeline: 'made up', seed: 0 };
    const parent = RunFolder.create(join(base, 'parent'), { ...start_, config: { rate: 0.2 } });
    const folder = RunFolder.create(join(base, 'child'), {
      ...start_,
      config: { rate: 0.02 },
      networks: [{ name: 'none' }, { name: 'rep-spectral', branch: { of: 'none', epoch: 1 } }],
      origin: {
        run: parent.path,
        createdAt: parent.started.createdAt,
        at: FORK,
        config: parent.started.config,
        accepted: [],
      },
    });
    const fields = { drift: quantity() };
    folder.declare({ drifts: record({ name: 'drift', role: 'measurement', fields }).description });
    const lines = ['none', 'rep-spectral'].flatMap((network) => {
      const first = network === 'none' ? 1 : BRANCH + 1;
      return Array.from({ length: UPDATES + 1 - first }, (_, i) => {
        const number = first + i;
        const drift = number <= 5 ? 1e4 : 2 + Math.sin(number / 15) + (network === 'none' ? 0 : 0.2);
        return `${JSON.stringify({ network, stream: 'drifts', number, epoch: 1, drift })}\n`;
      });
    });
    writeFileSync(folder.log, lines.join(''));
    monitor = start('monitor', folder.path, '--port', '0');
    const [address] = await Promise.all([monitor.printed(/http:\S+/), launched().then((one) => (browser = one))]);
    page = await browser.newPage();
    await page.goto(address[0]);
    await page.locator('#curves canvas').waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    monitor?.child.kill('SIGTERM');
    await monitor?.ended;
    rmSync(base, { recursive: true });
  });

  test('early outliers flatten no chart, unless they are asked for', async () => {
    await expect.poll(() => page.evaluate(rowsOf(BLACK, 0.4, 1))).toBeGreaterThan(80); // of 210 pixels
    await page.locator('#outliers').check();
    await expect.poll(() => page.evaluate(rowsOf(BLACK, 0.4, 1))).toBeLessThan(12);
    await page.locator('#outliers').uncheck();
    await expect.poll(() => page.evaluate(rowsOf(BLACK, 0.4, 1))).toBeGreaterThan(80);
  });

  test('a branch has the history of its trunk before it; beside the trunk it begins where it left it', async () => {
    expect(await page.evaluate(rowsOf(BLUE, 0.6, 1))).toBeGreaterThan(80);
    expect(await page.evaluate(rowsOf(BLUE, 0.15, 0.25))).toBe(0); // of the updates from 20 to 75
    await page.locator('#network').selectOption('rep-spectral');
    const color = (await page.locator('#curves .key line').first().getAttribute('stroke'))!;
    await expect.poll(() => page.evaluate(rowsOf(color, 0.15, 0.25))).toBeGreaterThan(30);
    expect(await page.getByRole('img', { name: /branch off none at 100/ }).count()).toBe(1);
    await page.locator('#network').selectOption('');
  });

  test('a fork names the run that it comes from, and its update is a line in each chart', async () => {
    const about = await page.locator('#about-rows').textContent();
    expect(about).toContain('Forked fromparent at update 200; from there on rate=0.02 (before: 0.2)');
    expect(await page.locator('#reading').textContent()).toContain('Up to update 200 this run is parent.');
    await page.getByRole('img', { name: 'Drift over updates; fork at 200;' }).waitFor();
    const quiet = '#595959'; // of texts, axes and marks
    expect(await page.evaluate(rowsOf(quiet, 0.505, 0.53))).toBeGreaterThan(75); // of about 150: a dashed line from top to bottom
    expect(await page.evaluate(rowsOf(quiet, 0.57, 0.595))).toBeLessThan(40);
  });
});
