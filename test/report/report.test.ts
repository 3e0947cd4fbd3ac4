import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
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
