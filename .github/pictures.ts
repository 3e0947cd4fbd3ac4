import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium, type Page } from 'playwright-core';
import sharp from 'sharp';

/**
 * Makes the pictures of README.md from a real run, in some minutes: `node --import tsx .github/pictures.ts`. `WEIR_CHROMIUM` names a
 * Chromium that is not Debian's.
 *
 * The page is taken while the second network trains and the regularizer acts, the report at the end.
 */
const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'weir-pictures-'));
const settings = ['profile=quick', 'epochs=100', 'burnIn=50', 'attacked=50'].flatMap((one) => ['--set', one]);
const command = [
  'src/cli/weir.js',
  'run',
  'pipelines/mnist.ts',
  ...settings,
  '--monitor',
  '0',
  '--run',
  join(folder, 'mnist'),
];
const run = spawn(process.execPath, command, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
const ended = once(run, 'exit');

const executablePath = process.env.WEIR_CHROMIUM ?? '/usr/bin/chromium';
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const page = await browser.newPage({ viewport: { width: 1200, height: 1080 }, colorScheme: 'light' });

/** A picture of the page as it stands, in few colors. */
async function picture(of: Page, name: string): Promise<void> {
  const png = sharp(await of.screenshot()).png({ palette: true, quality: 90, effort: 10 });
  await png.toFile(join(import.meta.dirname, `${name}.png`));
}

for await (const line of createInterface({ input: run.stderr })) {
  const [address] = /http:\/\/127\.0\.0\.1:\d+\//.exec(line) ?? [];
  if (address === undefined) continue;
  await page.goto(address);
  await page.getByText(/2 of 4.* epoch 9\d\/100/).waitFor({ timeout: 600_000 });
  await page.waitForTimeout(1000); // the next numbers of the graph
  await picture(page, 'monitor');
}
await ended;
await page.goto(`file://${folder}/mnist/report/report.html`);
await picture(page, 'report');
await browser.close();
rmSync(folder, { recursive: true });
