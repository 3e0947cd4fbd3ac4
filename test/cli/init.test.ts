import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { weir } from './weir.js';

const folder = mkdtempSync(join(tmpdir(), 'weir-init-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a project is written, whose needs are named, into a folder that is made', async () => {
  const project = join(folder, 'My experiment');
  expect(await weir('init', project)).toMatchObject({ status: 0, err: '' });
  const files = ['.gitignore', 'README.md', 'package.json', 'pipeline.ts', 'test', 'tsconfig.json'];
  expect(readdirSync(project).sort()).toEqual(files);
  const manifest = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
  expect(manifest).toMatchObject({ name: 'my-experiment', type: 'module', private: true });
  const ours = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));
  expect(manifest.dependencies).toEqual({ [ours.name]: `^${ours.version}` });
  const { typescript, vitest } = ours.devDependencies;
  expect(manifest.devDependencies).toEqual({ typescript, vitest });
});

test('a folder that holds such a file is refused by its name, and nothing is written', async () => {
  writeFileSync(join(folder, 'pipeline.ts'), 'mine');
  const { status, err } = await weir('init', folder);
  expect(status).toBe(1);
  expect(err).toContain(`${folder} holds pipeline.ts already`);
  expect(readFileSync(join(folder, 'pipeline.ts'), 'utf8')).toBe('mine');
  expect(existsSync(join(folder, 'package.json'))).toBe(false);
});
