import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cacheFolder, compiledCache } from '../../src/surroundings/folders.js';
import { start } from '../cli/weir.js';

test.each([
  [{ WEIR_CACHE: '/a', XDG_CACHE_HOME: '/b' }, '/a'],
  [{ XDG_CACHE_HOME: '/b' }, '/b/weir'],
  [{ WEIR_CACHE: '', XDG_CACHE_HOME: '' }, join(homedir(), '.cache/weir')],
])('%j', (env, folder) => {
  expect(cacheFolder(env)).toBe(folder);
});

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'weir-compiled-'));
const none = { TSX_DISABLE_CACHE: '1' };

test('a folder that this user alone may enter', () => {
  const cache = join(newFolder(), 'cache');
  const { TMPDIR: folder } = compiledCache({ WEIR_CACHE: cache });
  expect(folder).toBe(join(cache, `compiled-${process.geteuid!()}`));
  expect(statSync(folder!).mode & 0o777).toBe(0o700);
  expect(compiledCache({ WEIR_CACHE: cache })).toEqual({ TMPDIR: folder });
  expect(compiledCache({ WEIR_CACHE: cache, ...none })).toEqual({});
});

test('one that others may enter, that is a link or cannot be made: nothing is kept', () => {
  const cache = newFolder();
  const folder = compiledCache({ WEIR_CACHE: cache }).TMPDIR!;
  chmodSync(folder, 0o770);
  expect(compiledCache({ WEIR_CACHE: cache })).toEqual(none);
  rmSync(folder, { recursive: true });
  const elsewhere = newFolder();
  chmodSync(elsewhere, 0o700);
  symlinkSync(elsewhere, folder);
  expect(compiledCache({ WEIR_CACHE: cache })).toEqual(none);
  expect(compiledCache({ WEIR_CACHE: '/proc/none' })).toEqual(none);
});

test('the command looks for compiled modules nowhere else: another user’s folder in the temporary one stays as it was', async () => {
  const temporary = newFolder();
  const guessable = join(temporary, `tsx-${process.geteuid!()}`);
  mkdirSync(guessable);
  const cache = newFolder();
  const { ended } = start({ TMPDIR: temporary, WEIR_CACHE: cache }, '--version');
  expect((await ended).status).toBe(0);
  expect(readdirSync(guessable)).toEqual([]);
  expect(readdirSync(temporary)).toEqual([`tsx-${process.geteuid!()}`]);
  expect(readdirSync(cache)).toEqual([`compiled-${process.geteuid!()}`]);
});
