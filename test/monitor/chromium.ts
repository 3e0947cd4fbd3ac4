import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** A Chromium of this machine: `WEIR_CHROMIUM`, or where distributions put it. */
export const chromiumPath = [
  process.env.WEIR_CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].find((path) => path !== undefined && existsSync(path));

/** Starts it without a window. As root it has no sandbox, and shows only pages of ours. */
export const launched = (): Promise<Browser> =>
  chromium.launch({ executablePath: chromiumPath!, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
