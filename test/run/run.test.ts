import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { RunFolder } from '../../src/storage/run-folder.js';
import { call, hashOf } from '../cli/weir.js';

const base = mkdtempSync(join(tmpdir(), 'weir-script-'));
afterAll(() => rmSync(base, { recursive: true }));

test('a script starts, reads, stops and resumes a run, which ends in the bits of the command’s', async () => {
  const [own, command] = [join(base, 'own'), join(base, 'command')];
  const script = join(import.meta.dirname, 'run-script.ts');
  const module = join(import.meta.dirname, 'forking.ts');
  const set = ['epochs=6', 'rate=0.02'].flatMap((one) => ['--set', one]);
  const [{ stdout }, { status }] = await Promise.all([
    promisify(execFile)(process.execPath, ['--import', 'tsx', script, module, own]),
    call('run', module, ...set, '--seed', '3', '--run', command),
  ]);
  expect(status).toBe(0);
  const said = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  expect(said).toEqual([
    ['stopped', [0, 1, 2, 3, 4, 5]],
    ['done', Array.from({ length: 19 }, (_, i) => i)],
    ['WeirError', "there is no key 'rat'", expect.stringContaining("did you mean 'rate'?")],
    ['WeirError', expect.stringMatching(/^set epochs: "6": /), expect.stringContaining('is a whole number')],
    ['WeirError', `there is a run in ${own} already`, expect.stringContaining('weir resume')],
    ['WeirError', "there is no key 'rat'", expect.stringContaining("did you mean 'rate'?")],
    ['WeirError', expect.stringMatching(/^set epochs: "8": /), expect.stringContaining('is a whole number')],
    ['WeirError', `epochs of ${own} may only grow, and is to become 4 after 6`, expect.stringContaining('epochs')],
    ['WeirError', `hidden of ${own} is 8, and cannot become 9 within a run`, expect.stringContaining('testEvery')],
    ['WeirError', "there is no stream 'update'", expect.stringContaining("did you mean 'updates'?")],
    'done',
  ]);
  expect(existsSync(`${own}-2`)).toBe(false);
  expect(existsSync(join(own, 'report/report.html'))).toBe(true);
  const longer = await call('resume', command, '--set', 'epochs=8');
  expect([longer.status, await hashOf(own)]).toEqual([0, await hashOf(command)]);
  const [entry, ...others] = RunFolder.open(own).started.history ?? [];
  expect([entry?.set, others]).toEqual([{ epochs: { was: 6, is: 8 } }, []]);
});
