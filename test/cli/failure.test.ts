import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { shown } from '../../src/cli/failure.js';
import { WeirError, withLocation } from '../../src/flow/errors.js';
import { visible, visibleButColors, visibleLine } from '../../src/flow/terminal.js';
import { originText } from '../../src/run/pipeline-module.js';

describe('a failure', () => {
  test('in the user’s code is shown with the stage, the file and the line', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'weir-failure-')), 'own.mjs');
    writeFileSync(file, 'export function boom() {\n  return undefined.foo;\n}\n');
    const { boom } = (await import(/* @vite-ignore */ file)) as { boom(): void };
    const error = thrownBy(boom);
    expect(originText(error)).toBe(`at ${file}:2:20`);
    withLocation("in stage 'my stage'", error);
    withLocation("on the way to 'updates$'", error); // the first place is the one
    expect(shown(error)).toBe(
      `weir: Cannot read properties of undefined (reading 'foo') (in stage 'my stage', at ${file}:2:20)\n  → check that line: WEIR_DEBUG=1 shows the whole stack`,
    );
  });

  test('in a library or in Weir, called from a file of the user’s, names that line', () => {
    const error = new Error('odd');
    const weir = join(import.meta.dirname, '../../src/flow/stage.ts');
    error.stack = `Error: odd\n    at next (${weir}:1:2)\n    at map (/x/node_modules/rxjs/y.js:3:4)\n    at Object.wire (file:///home/me/a%20b.ts:5:6)`;
    expect(originText(error)).toBe('called from /home/me/a b.ts:5:6');
    error.stack = `Error: odd\n    at next (${weir}:1:2)\n    at node:internal/process:1:1`;
    expect(originText(error)).toBeUndefined();
    expect(shown(error)).toContain('this may be a bug in Weir or in the pipeline');
  });

  test('that is no Error is shown as it is', () => {
    expect(shown('no room')).toBe('weir: no room');
    expect(shown(undefined)).toMatch(/^weir: undefined was thrown, which is no error\n {2}→ throw an Error/);
    expect(shown({ code: 3 })).toContain('{ code: 3 } was thrown');
  });

  test('of the system is told in words, wherever it comes up', () => {
    const full = Object.assign(new Error("EMFILE: too many open files, open '/x'"), { code: 'EMFILE' });
    expect(shown(full)).toBe(
      "weir: this process has too many open files (EMFILE: too many open files, open '/x')\n  → raise the limit: `ulimit -n 4096`",
    );
    expect(shown(Object.assign(new Error('x'), { code: 'EROFS' }))).toContain('the file system is read-only');
  });

  test('for a function that has another name now is told with that name', () => {
    expect(shown(new TypeError('weir.draw is not a function'))).toContain("if it is Weir's, its name is 'loader' now");
    expect(shown(new TypeError('weir.constructor is not a function'))).not.toContain('its name is');
  });

  test('shows control characters of others’ texts', () => {
    expect(shown(new WeirError("class '\u001b[2J\u009b31m' has no image", 'see \u001b]0;title\u0007'))).toBe(
      "weir: class '\\u001b[2J\\u009b31m' has no image\n  → see \\u001b]0;title\\u0007",
    );
  });
});

test('control characters are visible, line feeds only where a text may have several lines; Weir’s own colors stay', () => {
  expect(visible('a\tb\nc\r\u0008\u202e\u007f')).toBe('a\tb\nc\\u000d\\u0008\\u202e\\u007f');
  expect(visibleLine('a\nb')).toBe('a\\nb');
  expect(visible('é🙂 – Δx')).toBe('é🙂 – Δx');
  expect(visibleButColors('\u001b[31mred\u001b[39m \u001b[2K')).toBe('\u001b[31mred\u001b[39m \\u001b[2K');
});

function thrownBy(work: () => void): Error {
  try {
    work();
  } catch (error) {
    return error as Error;
  }
  throw new Error('it threw nothing');
}
