/**
 * Makes a folder, and those above it that are not there.
 *
 * Node's own way (`recursive`) says "ENOENT" of a disk that is read-only, and tries for ever where a folder cannot be made under one that
 * is there, as in `/proc`.
 *
 * @param mode of the folder itself
 * @throws an Error with the code that the file system gave: EROFS for a read-only disk, EACCES where it is not allowed, ENOSPC when full
 */
export function makeFolder(path: string, mode?: number): void;

/**
 * The folder for what is made once and may be made again: the native runtime, converted data.
 *
 * `WEIR_CACHE` where it is set, else `XDG_CACHE_HOME/weir`, else `~/.cache/weir`. It need not exist yet.
 */
export function cacheFolder(env?: NodeJS.ProcessEnv): string;

/**
 * Variables under which tsx keeps compiled modules where no other user can put any.
 *
 * By itself it takes `tsx-USER` in the shared temporary folder: another user who made that folder first, with modules of his own in it,
 * would run them as this one. A folder of Weir's cache takes its place, which this user alone may enter; where there is none, or it
 * belongs to somebody else, nothing is kept.
 */
export function compiledCache(env?: NodeJS.ProcessEnv): {
  readonly TMPDIR?: string;
  readonly TSX_DISABLE_CACHE?: string;
};
