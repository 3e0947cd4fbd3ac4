import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { palette, tokens } from '../plot/style.js';

/** A file of the page. */
export interface Asset {
  readonly type: string;
  readonly bytes: Buffer;
}

interface AssetSource {
  readonly type: string;
  readonly read: () => Buffer | string;
}

const folder = join(import.meta.dirname, 'page');
const script = 'text/javascript; charset=utf-8';
const css = 'text/css; charset=utf-8';

const ofPage = (name: string) => () => readFileSync(join(folder, name));
const ofUplot = (name: string) => () =>
  readFileSync(join(createRequire(import.meta.url).resolve('uplot/package.json'), '../dist', name));

const scripts = ['main', 'connection', 'graph', 'curves', 'chart', 'samples', 'panels', 'dom'];

/** All that is served of the page, by path: what is not in this table does not exist, so no path leads out of it. */
const paths: Readonly<Record<string, AssetSource>> = {
  '/': { type: 'text/html; charset=utf-8', read: ofPage('index.html') },
  '/style.css': { type: css, read: ofPage('style.css') },
  '/icon.svg': { type: 'image/svg+xml', read: ofPage('icon.svg') },
  '/uplot.js': { type: script, read: ofUplot('uPlot.iife.min.js') },
  '/uplot.css': { type: css, read: ofUplot('uPlot.min.css') },
  // The report's colors and axes, so that a regularizer looks the same there and here.
  '/tokens.css': {
    type: css,
    read: () => `:root{${tokens.light}}\n@media (prefers-color-scheme:dark){:root{${tokens.dark}}}\n`,
  },
  '/plot/robust-range.js': {
    type: script,
    read: () => readFileSync(join(import.meta.dirname, '../plot/robust-range.js')),
  },
  '/palette.json': { type: 'application/json; charset=utf-8', read: () => JSON.stringify(palette) },
  ...Object.fromEntries(scripts.map((name) => [`/${name}.js`, { type: script, read: ofPage(`${name}.js`) }])),
};

const loaded = new Map<string, Asset>();

/** The file of the page at this path; undefined where there is none. Read once. */
export function asset(path: string): Asset | undefined {
  const source = Object.hasOwn(paths, path) ? paths[path] : undefined;
  if (source === undefined) return undefined;
  const found = loaded.get(path) ?? { type: source.type, bytes: Buffer.from(source.read()) };
  loaded.set(path, found);
  return found;
}
