import { dirname, join } from 'node:path';
import type { Report } from '../measure/networks/record.js';
import { compose, raster } from '../plot/figure-file.js';
import { onDisk, writeAtomically } from '../storage/disk.js';
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
 * Each file is written whole or not at all, so a reader never meets half of one.
 *
 * @throws WeirError naming the file that could not be written
 */
export async function writeReport(folder: string, report: Report): Promise<WrittenReport> {
  const drawn = figures(report);
  const pictures: string[] = [];
  for (const figure of drawn) {
    const svg = compose(figure);
    pictures.push(put(folder, join('figures', `${figure.id}.svg`), svg));
    pictures.push(put(folder, join('figures', `${figure.id}.png`), await raster(svg)));
  }
  const json = put(folder, 'report.json', reportJson(report));
  const html = put(folder, 'report.html', reportHtml(report, drawn)); // last: it is what says "done"
  return { html, json, figures: pictures };
}

function put(folder: string, name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  onDisk(`make the folder ${dirname(path)}`, () => makeFolder(dirname(path)), again);
  writeAtomically(path, content, { remedy: again });
  return path;
}

const again = 'make room, or the folder writable, and write the report again: nothing of the run is lost';
