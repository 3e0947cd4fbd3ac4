import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pdf } from '../../src/plot/figure-file.js';
import { figures } from '../../src/report/figures.js';
import { writeReport } from '../../src/report/report.js';
import { network, report } from './example.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-report-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('writes the page, the numbers and each figure twice, and leaves no part behind', async () => {
  const written = await writeReport(join(folder, 'deep'), report([network('none', 0, [1, 2])]));
  expect((await readdir(join(folder, 'deep'))).sort()).toEqual(['figures', 'report.html', 'report.json']);
  expect((await readdir(join(folder, 'deep', 'figures'))).length).toBe(written.figures.length);
  expect((await readFile(written.html, 'utf8')).endsWith('</html>\n')).toBe(true);
});

test('a place that cannot be written is named, with what to do', async () => {
  await writeFile(join(folder, 'figures'), 'in the way');
  const failure = writeReport(folder, report([network('none', 0, [1, 2])]));
  await expect(failure).rejects.toThrow(/cannot make the folder .*figures: /);
  await expect(failure).rejects.toMatchObject({ remedy: expect.stringContaining('write the report again') });
});

test('a PDF for a paper: two thirds of its pixels in points, no wider than the text, no taller than a page, the same twice', async () => {
  const made = report(
    ['rate=0.1', 'rate=0.2', 'rate=0.3'].flatMap((setting) =>
      [0, 1, 2].flatMap((seed) =>
        ['none', 'rep-spectral'].map((kind) => network(kind, seed, [1, 2, 3], { setting, run: setting })),
      ),
    ),
  );
  let pages = 0;
  for (const figure of figures(made)) {
    const bytes = await pdf(figure, new Date(made.createdAt));
    const boxes = [...bytes.toString('latin1').matchAll(/\/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]/g)];
    pages = Math.max(pages, boxes.length);
    for (const [, width, height] of boxes) {
      expect(Number(width)).toBeLessThanOrEqual(427); // points
      expect(Number(height)).toBeLessThanOrEqual(650);
    }
    const scaled = contentOf(bytes).filter((text) => text.includes('0.666667 0 0 0.666667 '));
    expect(scaled.length).toBe(boxes.length); // or the drawing is larger than its page, and cut off
    expect(bytes.equals(await pdf(figure, new Date(made.createdAt)))).toBe(true);
  }
  expect(pages).toBe(3); // of learning curves, a setting each
});

/** What is drawn on each page of a PDF, as text. */
const contentOf = (bytes: Buffer): string[] =>
  [...bytes.toString('latin1').matchAll(/stream\n([\s\S]*?)\nendstream/g)].flatMap(([, body]) => {
    try {
      return inflateSync(Buffer.from(body!, 'latin1')).toString('latin1');
    } catch {
      return [];
    }
  });
