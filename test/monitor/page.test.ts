import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RunFolder } from '../../src/storage/run-folder.js';
import { type Started, start } from '../cli/weir.js';
import { chromiumPath, launched } from './chromium.js';
import { Monitor } from './watched.js';

/** How many colors the first drawing has. */
const colorCount = `(() => {
  const canvas = document.querySelector('#curves canvas');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
})()`;

describe.skipIf(chromiumPath === undefined)('the page in a headless Chromium (needs one: WEIR_CHROMIUM)', () => {
  const base = mkdtempSync(join(tmpdir(), 'weir-page-'));
  const faults: string[] = [];
  let browser: Browser;
  let run: Started;
  let monitor: Monitor;

  beforeAll(async () => {
    const other = { module: 'pipelines/xor.ts', pipeline: 'a', seed: 0, config: {} };
    RunFolder.create(join(base, 'a run of a long name that is not tested'), other);
    const settings = ['profile=quick', 'regularizers=none', 'hidden=32', 'epochs=100000', 'burnIn=50000'];
    const args = settings.flatMap((setting) => ['--set', setting]);
    run = start('run', 'pipelines/mnist.ts', '--run', join(base, 'run'), ...args, '--monitor', '0');
    [browser] = await Promise.all([launched(), Promise.race([run.said('training'), run.ended])]);
    monitor = Monitor.in(await run.heard());
  });
  afterAll(async () => {
    await browser?.close();
    run?.child.kill('SIGKILL');
    await run?.ended;
    rmSync(base, { recursive: true });
  });

  async function opened(url: string, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await (await browser.newContext(options)).newPage();
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text());
    });
    page.on('pageerror', (error) => faults.push(error.message));
    await page.goto(url);
    await page.locator('#state[data-state=running]').waitFor();
    return page;
  }

  test('shows the graph, the curves, the samples and the memory of a run that trains, and keeps its token to itself', async () => {
    const page = await opened(monitor.url);
    expect(new URL(page.url()).hash).toBe('');
    await page.locator('.graph .slow .name').waitFor(); // the bottleneck is marked
    expect(await page.locator('.graph .name').allTextContents()).toEqual(
      expect.arrayContaining(['loader', 'batch', 'train', 'updates$']),
    );
    expect(await page.locator('#bottleneck').textContent()).toMatch(
      /samples trained a second\. The others wait for .+: busy \d+ %/,
    );
    await page.locator('#curves figure').nth(1).waitFor();
    expect(await page.locator('#curves h3').allTextContents()).toEqual(
      expect.arrayContaining(['Loss', 'Accuracy', 'Learning rate']),
    );
    const colors = await page.evaluate<number>(colorCount);
    expect(colors).toBeGreaterThan(5); // a curve, its axes and its grid
    expect(await page.locator('#pictures canvas').count()).toBe(12);
    expect(await page.locator('#memory-rows').textContent()).toMatch(/Resident\d.*MiB.*Tensors alive\d/);
  });

  test('by keyboard alone: skip link, pause, resume; what happens is said to a screen reader; a reload keeps the right to act', async () => {
    const page = await opened(monitor.url);
    await page.keyboard.press('Tab');
    expect(await page.evaluate<string>('document.activeElement.textContent')).toBe('Skip to the run');
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    await page.keyboard.press('Tab');
    expect(await page.evaluate<string>('document.activeElement.textContent')).toBe('Pause');
    await page.keyboard.press('Enter');
    await page.locator('#state[data-state=paused]').waitFor();
    await page.getByRole('status').getByText('The run is paused.').waitFor();
    await page.reload();
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.locator('#state[data-state=running]').waitFor();
    await page.getByRole('button', { name: 'Snapshot now' }).click();
    await page.getByText(/1 on the disk/).waitFor();
    const tree = await page.locator('body').ariaSnapshot();
    for (const part of [
      'banner',
      'main',
      'heading "Flow" [level=2]',
      'region "Curves"',
      'progressbar "Training"',
      'group "Control the run"',
    ]) {
      expect(tree).toContain(part);
    }
    expect(tree).toMatch(/list "Stages of the graph":[\s\S]*train/);
    expect(tree).toMatch(/img "Loss over updates; the newest numbers are in the table below"/);
    await page.getByText('Newest numbers as a table').click();
    await page.getByRole('cell', { name: 'updates epochLoss' }).waitFor();
  });

  test('on a phone of 360 px nothing is cut off; in the dark it is dark; who asks for less motion gets none', async () => {
    const phone = await opened(monitor.url, { viewport: { width: 360, height: 740 }, colorScheme: 'light' });
    await phone.locator('#stages li').first().waitFor();
    await phone.locator('#curves canvas').first().waitFor();
    expect(await phone.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
    const background = (page: Page) => page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    expect(await background(phone)).toBe('rgb(255, 255, 255)');
    const dark = await opened(monitor.url, { colorScheme: 'dark', reducedMotion: 'reduce' });
    expect(await background(dark)).toBe('rgb(21, 24, 28)');
    expect(
      await dark.evaluate<string>("getComputedStyle(document.querySelector('.progress span')).transitionDuration"),
    ).toBe('0s');
  });

  test('runs beside are sorted by a result, and on a phone no cell breaks its line: the table scrolls', async () => {
    const phone = await opened(monitor.url, { viewport: { width: 390, height: 844 } });
    await phone.getByRole('button', { name: 'Test accuracy' }).click();
    await phone.locator('th[aria-sort=descending]').waitFor();
    const names = phone.locator('#runs tbody tr td:nth-child(2)');
    expect((await names.allTextContents())[0]).toBe('run'); // the other one was never tested
    await phone.getByRole('button', { name: 'Pipeline' }).click();
    expect((await names.allTextContents())[0]).toBe('a run of a long name that is not tested');
    const apart = await phone.evaluate<number[]>(`[...document.querySelectorAll('#runs th, #runs td')].map((cell) => {
      const range = document.createRange();
      range.selectNodeContents(cell);
      const bottoms = [...range.getClientRects()].map(({ bottom }) => bottom); // of a button and of its text, in one line
      return Math.max(...bottoms) - Math.min(...bottoms);
    })`);
    expect(Math.max(...apart)).toBeLessThan(12); // pixels: a second line would be further below
    expect(await phone.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
  });

  test('who comes without the token may look and not act; who has it stops the run, after being asked', async () => {
    const stranger = await opened(`${monitor.base}/`);
    await stranger.locator('.graph').waitFor();
    expect(await stranger.getByRole('button', { name: 'Stop' }).isVisible()).toBe(false);
    const refused = await stranger.evaluate<number>(
      "fetch('/api/do/stop', { method: 'POST' }).then(({ status }) => status)",
    );
    expect(refused).toBe(401);
    expect(faults.splice(0)).toEqual([expect.stringContaining('401')]); // the only fault of all pages until now

    const page = await opened(monitor.url);
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('button', { name: 'Keep it running' }).click();
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await page.getByRole('button', { name: 'Stop the run' }).click();
    expect((await run.ended).status).toBe(75);
    await page.locator('#state[data-state=stopped]').waitFor(); // told before the server went
  });
});
