// Plain JavaScript: it is needed before Node can read TypeScript.
import { lstatSync, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

export function makeFolder(path, mode = 0o777) {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (error.code === 'EEXIST' && statSync(path).isDirectory()) return;
    if (error.code !== 'ENOENT' || dirname(path) === path) throw error;
    makeFolder(dirname(path));
    try {
      mkdirSync(path, { mode });
    } catch (again) {
      if (again.code !== 'EEXIST') throw again; // another process made it meanwhile
    }
  }
}

export function cacheFolder(env = process.env) {
  if (env.WEIR_CACHE) return resolve(env.WEIR_CACHE);
  if (env.XDG_CACHE_HOME) return join(resolve(env.XDG_CACHE_HOME), 'weir');
  return join(homedir(), '.cache', 'weir');
}

export function compiledCache(env = process.env) {
  if (env.TSX_DISABLE_CACHE) return {};
  const user = process.geteuid?.();
  const folder = join(cacheFolder(env), user === undefined ? 'compiled' : `compiled-${user}`);
  try {
    makeFolder(folder, 0o700);
    const { mode, uid } = lstatSync(folder, { throwIfNoEntry: true });
    const isFolder = (mode & 0o170000) === 0o040000; // and no link to one
    const own = user === undefined || (uid === user && (mode & 0o077) === 0);
    if (isFolder && own) return { TMPDIR: folder };
  } catch {
    // Without a cache the start takes half a second longer.
  }
  return { TSX_DISABLE_CACHE: '1' };
}
