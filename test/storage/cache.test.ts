import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cacheFolder } from '../../src/storage/compiled-cache.js';

test.each([
  [{ WEIR_CACHE: '/a', XDG_CACHE_HOME: '/b' }, '/a'],
  [{ XDG_CACHE_HOME: '/b' }, '/b/weir'],
  [{ WEIR_CACHE: '', XDG_CACHE_HOME: '' }, join(homedir(), '.cache/weir')],
])('%j', (env, folder) => {
  expect(cacheFolder(env)).toBe(folder);
});
