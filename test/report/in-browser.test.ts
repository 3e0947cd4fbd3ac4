import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CurvePoint } from '../../src/measure/networks/record.js';
import { compose } from '../../src/plot/figure-file.js';
import { robustRange } from '../../src/plot/robust-range.js';
import { figures } from '../../src/report/figures.js';
import { reportHtml } from '../../src/report/report.js';
import { chromiumPath, launched } from '../monitor/chromium.js';
import { network, report } from './example.js';

/** σ over 60 epochs: at first far above all later values, where there are outliers. */
const sigma = (outliers: boolean): CurvePoint[] =>
  Array.from({ length: 60 }, (_, epoch) => ({ epoch, value: epoch < 1 && outliers ? 900 : 3 + Math.sin(epoch / 5) }));

const made = (outliers: boolean) =>
  report(
    [0.1, 0.2].flatMap((rate) =>
      [0, 1].flatMap((seed) =>
        ['none', 'readout-spectral', 'rep-spectral'].map((kind) =>
          network(kind, seed, [1 + rate, 2 + seed / 7, 3], {
            setting: `rate=${rate}`,
            config: { rate },
            run: `runs/${rate}/${seed}`,
            sigma: { hidden1: sigma(outliers) },
          }),
        ),
      ),
    ),
  );

test('values that would take most of an axis are outliers where they are few', () => {
  const values = sigma(true).map(({ value }) => value);
  const [low, high] = robustRange(values, 'log')!;
  expect([low, high]).toEqual([expect.closeTo(2.0, 1), expect.closeTo(5.2, 1)]);
  expect(robustRange(values, 'linear')![1]).toBeLessThan(5);
  expect(
    robustRange(
      sigma(false).map(({ value }) => value),
      'linear',
    ),
  ).toBeNull();
  expect(robustRange(values.slice(0, 12), 'linear')).toBeNull(); // too few to tell
});

test('an axis without outliers is on the page alone: files show all', () => {
  const figure = figures(made(true)).find(({ id }) => id === 'sigma')!;
  const [panel] = figure.panels;
  const tops = [panel!.svg, panel!.robust!].map((svg) =>
    Math.max(...[...svg.matchAll(/y="0\.3em">([\d.]+)</g)].map(([, tick]) => Number(tick))),
  );
  expect(tops).toEqual([800, 4]);
  expect(compose(figure)).toContain(panel!.svg.slice(panel!.svg.indexOf('viewBox')));
  const html = reportHtml(made(true));
  expect(html.match(/class="outliers"/g)).toHaveLength(1);
  expect(html).toContain('‘outliers’ shows all');
  expect(reportHtml(made(false))).not.toContain('class="outliers"');
});

describe.skipIf(chromiumPath === undefined)('the report in a headless Chromium', () => {
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    browser = await launched();
    page = await browser.newPage({ viewport: { width: 390, height: 844 } });
    await page.setContent(reportHtml(made(true)));
  });
  afterAll(() => browser?.close());

  test('outliers of an axis are shown or not, without a script', async () => {
    const [robust, whole] = ['.robust', '.whole'].map((kind) => page.locator(`section:has(#sigma) ${kind}`).first());
    expect([await robust!.isVisible(), await whole!.isVisible()]).toEqual([true, false]);
    await page.getByLabel('outliers').check();
    expect([await robust!.isVisible(), await whole!.isVisible()]).toEqual([false, true]);
  });

  test('on a phone tables scroll in their own box, and no number breaks its line', async () => {
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    const scrolled = 'document.querySelectorAll(".scroll")';
    expect(await page.evaluate(`[...${scrolled}].some((box) => box.scrollWidth > box.clientWidth)`)).toBe(true);
    const broken = await page.evaluate<string[]>(`[...document.querySelectorAll('td')].filter((cell) => {
      const range = document.createRange();
      range.selectNodeContents(cell);
      const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top / 6)));
      return lines.size > 2 * (1 + cell.querySelectorAll('br').length);
    }).map((cell) => cell.textContent)`);
    expect(broken).toEqual([]);
  });

  test('the edge of a table is shaded while there is more behind it, on light and on dark', async () => {
    const box = page.locator('section:has(#networks) .scroll').first();
    const contrast = async (): Promise<number> => {
      const { data, info } = await sharp(await box.screenshot())
        .raw()
        .toBuffer({ resolveWithObject: true });
      const at = (x: number): number => data[(3 * info.width + x) * info.channels]!; // above the caption's letters
      return Math.abs(at(info.width - 2) - at(info.width / 2));
    };
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await box.evaluate((element) => element.scrollTo({ left: 0 }));
      expect(await contrast()).toBeGreaterThan(30);
      await box.evaluate((element) => element.scrollTo({ left: element.scrollWidth }));
      expect(await contrast()).toBeLessThan(4);
    }
  });

  test('on a wide screen the table of all networks needs no scrolling', async () => {
    await page.setViewportSize({ width: 1280, height: 900 });
    const box = page.locator('section:has(#networks) .scroll').first();
    expect(await box.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
  });
});
