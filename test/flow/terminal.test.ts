import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

test('nothing in src writes to the terminal but through its door', () => {
  const src = join(import.meta.dirname, '../../src');
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const around = files.filter((name) => /process\.std(out|err)\.write|console\.\w+\(/.test(code(join(src, name))));
  expect(around).toEqual(['flow/terminal.ts']);
});

const code = (file: string): string => readFileSync(file, 'utf8').replace(/^\s*(\/\/|\*|\/\*\*).*$/gm, '');
