import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** A file of the page. */
export interface Asset {
  readonly type: string;
  readonly bytes: Buffer;
}

const folder = join(import.meta.dirname, 'page');
const html = 'text/html; charset=utf-8';
const script = 'text/javascript; charset=utf-8';
const css = 'text/css; charset=utf-8';

const scripts = [
  'main',
  'told',
  'act',
  'graph',
  'layout',
  'curves',
  'distances',
  'pictures',
  'runs',
  'timeline',
  'numbers',
  'colours',
];

/** All that is served of the page, by path: what is not in this table does not exist, so no path leads out of it. */
const paths: Readonly<Record<string, { readonly type: string; readonly file: () => string }>> = {
  '/': { type: html, file: () => join(folder, 'index.html') },
  '/style.css': { type: css, file: () => join(folder, 'style.css') },
  '/icon.svg': { type: 'image/svg+xml', file: () => join(folder, 'icon.svg') },
  '/uplot.js': { type: script, file: () => inUplot('uPlot.iife.min.js') },
  '/uplot.css': { type: css, file: () => inUplot('uPlot.min.css') },
  ...Object.fromEntries(
    scripts.map((name) => [`/${name}.js`, { type: script, file: () => join(folder, `${name}.js`) }]),
  ),
};

const loaded = new Map<string, Asset>();

/** The file of the page at this path; undefined where there is none. Read once. */
export function asset(path: string): Asset | undefined {
  if (!Object.hasOwn(paths, path)) return undefined;
  let found = loaded.get(path);
  if (found === undefined) {
    const { type, file } = paths[path]!;
    found = { type, bytes: readFileSync(file()) };
    loaded.set(path, found);
  }
  return found;
}

const inUplot = (name: string): string =>
  join(createRequire(import.meta.url).resolve('uplot/package.json'), '../dist', name);
