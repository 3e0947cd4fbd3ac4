import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WeirError } from '../flow/errors.js';
import type { Report } from '../measure/networks/record.js';
import { compose, raster } from '../plot/figure-file.js';
import { makeFolder } from '../storage/folders.js';
import { figures } from './figures.js';
import { reportJson } from './json.js';
import { reportHtml } from './page.js';

/** Where a report was written: paths below the folder it was given. */
export interface WrittenReport {
  readonly html: string;
  readonly json: string;
  /** Each figure as PNG and as SVG. */
  readonly figures: string[];
}

/**
 * Writes `report.html`, `report.json` and `figures/*.png` and `*.svg` into a folder, making it where it is missing.
 *
 * Each file is written beside its place and renamed, so a reader never meets half of one.
 *
 * @throws WeirError naming the file that could not be written
 */
export async function writeReport(folder: string, report: Report): Promise<WrittenReport> {
  const drawn = figures(report);
  const pictures: string[] = [];
  for (const figure of drawn) {
    const svg = compose(figure);
    pictures.push(await put(folder, join('figures', `${figure.id}.svg`), svg));
    pictures.push(await put(folder, join('figures', `${figure.id}.png`), await raster(svg)));
  }
  const json = await put(folder, 'report.json', reportJson(report));
  const html = await put(folder, 'report.html', reportHtml(report, drawn)); // last: it is what says "done"
  return { html, json, figures: pictures };
}

async function put(folder: string, name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  const beside = `${path}.${process.pid}.part`;
  try {
    makeFolder(join(path, '..'));
    await writeFile(beside, content);
    await rename(beside, path);
    return path;
  } catch (cause) {
    await rm(beside, { force: true }).catch(() => {});
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new WeirError(
      `the report's file '${path}' could not be written: ${reason}`,
      'make room, or the folder writable, and write the report again: nothing of the run is lost',
      { cause },
    );
  }
}
