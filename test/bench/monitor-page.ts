import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { start } from '../cli/weir.js';
import { launched } from '../monitor/chromium.js';
import { Monitor } from '../monitor/watched.js';
import { median, spread } from './compare.js';

/**
 * How soon the page of a run with 10^6 metric points is there, in a headless Chromium that starts with an empty cache: its first
 * contentful paint, the target, and when the whole curves are drawn, for the first viewer and for later ones.
 */
const points = 1_000_000;
const visits = 7;

export async function bench(): Promise<boolean> {
  const base = mkdtempSync(join(tmpdir(), 'weir-page-bench-'));
  const run = join(base, 'run');
  longRun(run);
  const monitor = start('monitor', run, '--port', '0');
  const browser = await launched();
  const paints: number[] = [];
  const wholes: number[] = [];
  try {
    const { url } = Monitor.in((await monitor.printed(/http:.+/))[0]);
    for (let visit = 0; visit < visits; visit++) {
      const page = await (await browser.newContext({ viewport: { width: 1360, height: 900 } })).newPage();
      const begun = performance.now();
      await page.goto(url);
      await page.locator('#reading', { hasText: 'Long curves are thinned' }).waitFor({ timeout: 120_000 });
      wholes.push((performance.now() - begun) / 1000);
      const painted = "performance.getEntriesByName('first-contentful-paint')[0].startTime";
      paints.push((await page.evaluate<number>(painted)) / 1000);
      await page.context().close();
    }
  } finally {
    await browser.close();
    monitor.child.kill('SIGINT');
    await monitor.ended;
    rmSync(base, { recursive: true });
  }
  const seconds = (value: number): string => `${value.toFixed(2)} s`;
  const [first, ...later] = wholes;
  console.log(
    `first paint ${seconds(median(paints))} (${spread(paints, seconds)}), the slowest ${seconds(Math.max(...paints))}`,
  );
  console.log(
    `whole curves ${seconds(first!)} for the first viewer, while the log is read; ${seconds(median(later))} for later ones`,
  );
  const ratio = 1 / Math.max(...paints);
  console.log(`monitor-page ratio ${ratio.toFixed(2)} (reach 1.00)`);
  return ratio >= 1;
}

/** A run's folder whose log holds so many points, two a line. */
function longRun(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const config = { rate: 0.1, epochs: 1000 };
  const about = { format: 1, weir: '0.1.0', module: 'mnist.ts', pipeline: 'mnist', seed: 0, config };
  const networks = [{ name: 'rep-spectral' }];
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({ ...about, networks, createdAt: new Date(0).toISOString() }),
  );
  const log = openSync(join(folder, 'metrics.ndjson'), 'w');
  let text = '';
  for (let number = 1; number <= points / 2; number++) {
    const loss = Math.exp(-number / 1e5) + 0.05 * Math.sin(number);
    const about = { network: 'rep-spectral', stream: 'updates', wall: { seconds: number / 100 } };
    const epoch = Math.ceil(number / 500);
    text += `${JSON.stringify({ number, epoch, endsEpoch: number % 500 === 0, loss, epochLoss: loss, ...about })}\n`;
    if (number % 10_000 > 0) continue;
    writeSync(log, text);
    text = '';
  }
  closeSync(log);
}
