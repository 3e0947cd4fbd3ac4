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
