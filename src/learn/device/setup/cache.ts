import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** The folder, outside the checkout, that holds libraries and compiled bindings: WEIR_CACHE, else the user's cache folder. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.WEIR_CACHE) return resolve(env.WEIR_CACHE);
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'weir');
}
