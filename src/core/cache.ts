import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * The folder for what is made once and may be made again: the native runtime, converted data.
 *
 * `WEIR_CACHE` where it is set, else `XDG_CACHE_HOME/weir`, else `~/.cache/weir`. It need not exist yet.
 */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.WEIR_CACHE) return resolve(env.WEIR_CACHE);
  if (env.XDG_CACHE_HOME) return join(resolve(env.XDG_CACHE_HOME), 'weir');
  return join(homedir(), '.cache', 'weir');
}
